import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type BakeJob, type BuildRequest, machinePaths } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';

/** What `--allow` gives to the targets of a definition, whose author may be somebody else. */
export interface Allowed {
  readonly rights: ReadonlySet<string>;
  /** Folders, or `*`. */
  readonly read: readonly string[];
  readonly write: readonly string[];
}

const rights = ['network.host', 'security.insecure', 'ssh', 'buildx.local.delete'];

/**
 * Reads `--allow`; `written` are paths that the command line itself names, which are allowed with it.
 * @throws UsageError
 */
export function parseAllowed(texts: readonly string[], written: readonly string[]): Allowed {
  const found = { rights: new Set<string>(), read: ['.', ...written], write: ['.', ...written] };
  for (const text of texts) {
    const [key = '', ...rest] = text.split('=');
    const value = rest.join('=');
    if (rights.includes(key) && value === '') found.rights.add(key);
    else if (key === 'fs') {
      found.read.push(value);
      found.write.push(value);
    } else if (key === 'fs.read') found.read.push(value);
    else if (key === 'fs.write') found.write.push(value);
    else if (key !== 'image' && key !== 'image.push' && key !== 'image.load')
      throw new UsageError(`unknown entitlement key ${JSON.stringify(key)}`, {
        hint: `there are ${rights.join(', ')}, fs, fs.read and fs.write`,
      });
  }
  return found;
}

/**
 * Refuses targets that want more than is allowed: rights for their steps, and files outside of the working folder. Looked at is what
 * they were read as, not how that was written.
 * @throws UsageError that names the flags to give
 */
export function checkAllowed(jobs: readonly BakeJob[], allowed: Allowed, environment: NodeJS.ProcessEnv): void {
  const missing = new Map<string, string>();
  for (const { request } of jobs) {
    for (const right of rightsOf(request)) if (!allowed.rights.has(right)) missing.set(right, explain(right));
    if (isSwitchedOff(environment['BUILDX_BAKE_ENTITLEMENTS_FS'])) continue;
    const { read, written } = machinePaths(request);
    for (const path of outside(read, allowed.read)) missing.set(`fs.read=${path}`, `reading ${path}`);
    for (const path of outside(written, allowed.write)) missing.set(`fs.write=${path}`, `writing to ${path}`);
  }
  if (missing.size === 0) return;
  const flags = [...missing.keys()].map((right) => `--allow ${right}`).join(' ');
  throw new UsageError(`additional privileges requested: ${[...missing.values()].join(', ')}`, {
    exitCode: 1,
    hint: `give them with ${flags}, if you trust this definition`,
  });
}

function isSwitchedOff(value: string | undefined): boolean {
  return value !== undefined && /^(?:0|f|false)$/i.test(value);
}

function explain(right: string): string {
  const words: Readonly<Record<string, string>> = {
    'network.host': "the machine's network for steps",
    'security.insecure': 'steps with all rights',
    ssh: 'the ssh agent',
    'buildx.local.delete': 'deleting files at the destination of an output',
  };
  return words[right] ?? right;
}

function rightsOf({ confinement, network, mounts, outputs }: BuildRequest): string[] {
  const deletes = outputs.some((output) => 'mode' in output && output.mode === 'delete');
  const asksAgent = (mounts?.ssh ?? []).some(({ paths }) => paths.length === 0);
  return [
    ...(confinement?.allow ?? []),
    ...(network === 'host' ? ['network.host'] : []),
    ...(deletes ? ['buildx.local.delete'] : []),
    ...(asksAgent ? ['ssh'] : []),
  ];
}

/** Those paths that lie in none of the folders, links followed: a link in the working folder may lead anywhere. */
function outside(paths: readonly string[], folders: readonly string[]): string[] {
  if (folders.includes('*')) return [];
  const open = folders.map((folder) => real(resolve(folder)));
  const found = paths.map((path) => real(resolve(path)));
  return [...new Set(found)].filter((path) => !open.some((folder) => isWithin(path, folder))).map(shown);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('../..') ? path : short;
}

/** Where a path leads; of what is not there yet, the part that is. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(real(above), basename(path));
  }
}
