import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type BakeTarget, isRemote } from '../../build/index.ts';
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
 * Refuses targets that want more than is allowed: rights for their steps, and files outside of the working folder.
 * @throws UsageError that names the flags to give
 */
export function checkAllowed(targets: readonly BakeTarget[], allowed: Allowed, environment: NodeJS.ProcessEnv): void {
  const missing = new Map<string, string>();
  for (const target of targets) {
    for (const right of rightsOf(target)) if (!allowed.rights.has(right)) missing.set(right, explain(right));
    if (isSwitchedOff(environment['BUILDX_BAKE_ENTITLEMENTS_FS'])) continue;
    const { read, write } = pathsOf(target);
    for (const path of outside(read, allowed.read)) missing.set(`fs.read=${path}`, `reading ${path}`);
    for (const path of outside(write, allowed.write)) missing.set(`fs.write=${path}`, `writing to ${path}`);
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

function rightsOf(target: BakeTarget): string[] {
  const deletes = (target.output ?? []).some((output) => output['type'] === 'local' && output['mode'] === 'delete');
  return [...(target.entitlements ?? []), ...(deletes ? ['buildx.local.delete'] : [])].filter((right) =>
    rights.includes(right),
  );
}

function pathsOf(target: BakeTarget): { read: string[]; write: string[] } {
  const ofCaches = (name: 'cache-from' | 'cache-to', key: string): string[] =>
    (target[name] ?? []).flatMap((entry) => (entry['type'] === 'local' ? [entry[key] ?? ''] : []));
  const read = [
    ...localPath(target.context ?? '.'),
    ...localPath(dockerfileOf(target)),
    ...Object.values(target.contexts ?? {}).flatMap(localPath),
    ...ofCaches('cache-from', 'src'),
    ...(target.secret ?? []).map((entry) => entry['src'] ?? ''),
    ...(target.ssh ?? []).flatMap(({ paths }) => paths),
  ];
  const write = [...(target.output ?? []).map((output) => output['dest'] ?? ''), ...ofCaches('cache-to', 'dest')];
  const isPath = (path: string): boolean => path !== '' && path !== '-';
  return { read: read.filter(isPath), write: write.filter(isPath) };
}

function dockerfileOf({ context = '.', dockerfile = 'Dockerfile', 'dockerfile-inline': inline }: BakeTarget): string {
  if (inline !== undefined) return '';
  return dockerfile.startsWith('/') || isRemote(context) ? dockerfile : join(context, dockerfile);
}

function localPath(text: string): string[] {
  if (isRemote(text) || /^(?:target:|docker-image:|store-image:)/.test(text)) return [];
  if (text.startsWith('oci-layout://')) return [text.slice('oci-layout://'.length).replace(/(?:@sha.*|:[^/:]*)$/, '')];
  return [text.startsWith('cwd://') ? text.slice('cwd://'.length) || '.' : text];
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
