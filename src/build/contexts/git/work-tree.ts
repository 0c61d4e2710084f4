import { readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isCommit } from './resolve-ref.ts';
import { GitFailure, type GitRun, runGit } from './run-git.ts';

export interface WorkTreeOptions {
  /** Makes an empty folder. */
  readonly scratch: () => Promise<string>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * When the commit was made that a folder is: seconds since 1970. Undefined where the folder is in no git work tree, or holds anything
 * that is not in the commit (what git ignores aside).
 *
 * The repository may belong to somebody else, and its configuration can name programs that git would run. So git never sees it:
 * only the index and the objects of the repository are read, through a git directory of our own.
 */
export async function cleanCommitTime(folder: string, options: WorkTreeOptions): Promise<number | undefined> {
  const found = findRepository(folder);
  const commit = found === undefined ? undefined : headOf(found);
  if (found === undefined || commit === undefined) return undefined;
  try {
    const run = await readOnly(found, commit, options);
    const path = relative(found.top, folder);
    const status = ['--literal-pathspecs', 'status', '--porcelain', '-z', '--ignore-submodules=dirty'];
    const changes = await runGit([...status, '--untracked-files=normal', '--', path === '' ? '.' : path], run);
    if (changes !== '') return undefined;
    const seconds = Number(await runGit(['log', '-1', '--format=%ct', commit, '--'], run));
    return Number.isSafeInteger(seconds) ? seconds : undefined;
  } catch (error) {
    if (error instanceof GitFailure) return undefined; // it cannot be told
    throw error;
  }
}

interface Repository {
  /** Top of the work tree. */
  readonly top: string;
  /** HEAD and index. */
  readonly gitDir: string;
  /** Objects and references: that of the main work tree, where this is a linked one. */
  readonly commonDir: string;
}

const mostText = 64 << 20; // bytes of packed-refs

function findRepository(folder: string): Repository | undefined {
  for (let top = folder; ; top = dirname(top)) {
    const gitDir = gitDirAt(join(top, '.git'));
    if (gitDir !== undefined) {
      const common = readText(join(gitDir, 'commondir'));
      return { top, gitDir, commonDir: common === undefined ? gitDir : resolve(gitDir, common.trim()) };
    }
    if (dirname(top) === top) return undefined;
  }
}

/** A folder, or a file that says where it is: of linked work trees and submodules. */
function gitDirAt(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return statSync(join(path, 'HEAD'), { throwIfNoEntry: false }) && path;
  const [, named] = /^gitdir: (.+)\s*$/.exec((stats?.isFile() === true && readText(path)) || '') ?? [];
  return named === undefined ? undefined : resolve(dirname(path), named);
}

function headOf({ gitDir, commonDir }: Repository): string | undefined {
  const head = readText(join(gitDir, 'HEAD'))?.trim() ?? '';
  if (isCommit(head)) return head;
  const [, name] = /^ref: (refs\/[^\s]+)$/.exec(head) ?? [];
  if (name === undefined || name.split('/').includes('..')) return undefined;
  const loose = readText(join(commonDir, name))?.trim() ?? '';
  if (isCommit(loose)) return loose;
  const packed = readText(join(commonDir, 'packed-refs'))?.split('\n') ?? [];
  const id = packed.find((line) => line.endsWith(` ${name}`))?.split(' ')[0] ?? '';
  return isCommit(id) ? id : undefined;
}

/** A small text of a regular file; a FIFO would be waited for without end. */
function readText(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size <= mostText ? readFileSync(path, 'utf8') : undefined;
}

async function readOnly(repository: Repository, commit: string, options: WorkTreeOptions): Promise<GitRun> {
  const gitDir = join(await options.scratch(), 'git');
  for (const name of ['refs', 'objects']) await mkdir(join(gitDir, name), { recursive: true });
  await writeFile(join(gitDir, 'HEAD'), `${commit}\n`);
  const format = commit.length === 64 ? '1\n[extensions]\n\tobjectFormat = sha256\n' : '0\n';
  await writeFile(join(gitDir, 'config'), `[core]\n\trepositoryFormatVersion = ${format}`);
  return {
    cwd: repository.top,
    signal: options.signal,
    env: {
      GIT_DIR: gitDir,
      GIT_WORK_TREE: repository.top,
      GIT_INDEX_FILE: join(repository.gitDir, 'index'),
      GIT_OBJECT_DIRECTORY: join(repository.commonDir, 'objects'),
    },
    config: [['core.excludesFile', join(repository.commonDir, 'info/exclude')]],
  };
}
