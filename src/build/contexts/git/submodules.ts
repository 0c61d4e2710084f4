import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { GitTransport } from '../../../dockerfile/index.ts';
import { BuildError } from '../../error.ts';
import { isCommit } from './resolve-ref.ts';
import { GitFailure, type GitRun, runGit } from './run-git.ts';

/** One submodule of a commit. */
export interface Submodule {
  /** Below the work tree: relative, clean, without anything that git or a file system could read differently. */
  readonly path: string;
  readonly transport: GitTransport;
  readonly url: string;
  readonly commit: string;
}

const mostText = 1 << 20; // bytes of .gitmodules

/**
 * The submodules that a commit has by its `.gitmodules`. That file is anybody's text: its paths may only lead into the work tree and
 * its addresses only to servers (CVE-2024-32002, CVE-2025-48384 and their like), and git's own handling of submodules is not used.
 * @param parent address of the repository that has them, which relative ones start from
 * @throws BuildError CONTEXT_INVALID
 */
export async function submodulesOf(commit: string, parent: string, run: GitRun): Promise<readonly Submodule[]> {
  const settings = await readSettings(commit, run);
  const found: Submodule[] = [];
  for (const [name, { path, url, update }] of settings) {
    if (path === undefined || url === undefined || update === 'none') continue;
    checkPath(name, path);
    const entry = await runGit(['--literal-pathspecs', 'ls-tree', '-z', '--full-tree', commit, '--', path], run);
    const [mode, , id = ''] = entry.slice(0, entry.indexOf('\t')).split(' ');
    if (mode !== '160000' || !isCommit(id)) continue;
    found.push({ path, commit: id, ...addressOf(url, { name, parent }) });
  }
  return found;
}

interface Settings {
  path?: string;
  url?: string;
  update?: string;
}

async function readSettings(commit: string, run: GitRun): Promise<ReadonlyMap<string, Settings>> {
  const blob = `${commit}:.gitmodules`;
  const kind = await runGit(['ls-tree', '-l', '-z', '--full-tree', commit, '--', '.gitmodules'], run);
  const [, mode, size] = /^(\d+) blob [0-9a-f]+ +(\d+)\t/.exec(kind) ?? [];
  if (mode === undefined || mode === '120000' || Number(size) > mostText) return new Map();
  let text: string;
  try {
    text = await runGit(['config', '--blob', blob, '--no-includes', '-z', '--list'], run);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw invalid('the repository has a .gitmodules that cannot be read', error);
  }
  const modules = new Map<string, Settings>();
  for (const line of text.split('\0')) {
    const [key = '', ...value] = line.split('\n');
    const [, name, field] = /^submodule\.(.+)\.(path|url|update)$/s.exec(key) ?? [];
    if (name === undefined || field === undefined) continue;
    const settings = modules.get(name) ?? {};
    settings[field as keyof Settings] = value.join('\n');
    modules.set(name, settings);
  }
  return modules;
}

function checkPath(name: string, path: string): void {
  const parts = path.split('/');
  const bad =
    path === '' ||
    path.length > 4096 ||
    /\p{Cc}/u.test(path) ||
    path.startsWith('-') ||
    parts.some((part) => part === '' || part === '.' || part === '..' || /^\.git[\s.]*$/i.test(part));
  if (bad) throw invalid(`submodule ${JSON.stringify(name)} has a path that leads elsewhere: ${JSON.stringify(path)}`);
}

interface Place {
  readonly name: string;
  readonly parent: string;
}

/** Addresses that begin with `./` or `../` start from the parent's, as for git. */
function addressOf(url: string, { name, parent }: Place): { transport: GitTransport; url: string } {
  const whole = /^\.{1,2}\//.test(url) ? relativeTo(parent, url) : url;
  const scheme = /^([a-z0-9+.-]+):\/\//i.exec(whole ?? '')?.[1]?.toLowerCase();
  if (whole !== undefined) {
    if (scheme === 'https' || scheme === 'http' || scheme === 'ssh' || scheme === 'git') {
      return { transport: scheme, url: whole };
    }
    if (scheme === undefined && /^[\w-]+@[\w.-]+:[^:]/.test(whole)) return { transport: 'ssh', url: whole };
  }
  throw invalid(`submodule ${JSON.stringify(name)} has an address that is not followed: ${JSON.stringify(url)}`);
}

function relativeTo(parent: string, url: string): string | undefined {
  const [, start = '', path = ''] = /^([a-z0-9]+:\/\/[^/]+\/?|[^:/]+:)(.*)$/is.exec(parent) ?? [];
  const parts = path.split('/').filter((part) => part !== '');
  for (const part of url.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  return start + parts.join('/');
}

/**
 * The folder of a submodule in the work tree, which git has made empty. No link leads there.
 * @throws BuildError CONTEXT_INVALID
 */
export function submoduleFolder(tree: string, path: string): string {
  return realFolder(tree, path, `submodule ${JSON.stringify(path)}`);
}

/**
 * `path` below `root`, of which every part is a folder and none a link.
 * @throws BuildError CONTEXT_INVALID
 */
export function realFolder(root: string, path: string, label: string): string {
  let folder = root;
  for (const part of path.split('/').filter((each) => each !== '')) {
    if (part === '..' || part === '.') throw invalid(`${label} leads elsewhere`);
    folder = join(folder, part);
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats === undefined) throw invalid(`${label} is not in the repository`);
    if (!stats.isDirectory())
      throw invalid(`${label} is no folder: ${part} is ${stats.isSymbolicLink() ? 'a link' : 'a file'}`);
  }
  return folder;
}

function invalid(message: string, cause?: unknown): BuildError {
  return new BuildError('CONTEXT_INVALID', message, { cause });
}
