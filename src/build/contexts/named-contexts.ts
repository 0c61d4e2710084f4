import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ContextKind, type GitUrl, parseGitUrl } from '../../dockerfile/index.ts';
import { type Digest, familiarName, isDigest, isReference, parseReference } from '../../oci/index.ts';
import { BuildError } from '../error.ts';

/** One `--build-context`: what stands in for a name. */
export type NamedContext =
  | { readonly kind: 'folder'; readonly folder: string }
  /** A tar archive on disk. */
  | { readonly kind: 'archive'; readonly path: string }
  | { readonly kind: 'git'; readonly url: GitUrl }
  /** An archive, or a file. */
  | { readonly kind: 'url'; readonly url: string }
  /** A layout on disk; `reference` is a tag, a digest, or empty for the one image in it. */
  | { readonly kind: 'layout'; readonly path: string; readonly reference: string }
  | { readonly kind: 'image'; readonly name: string }
  /** Images of the store by their ids, one of each platform: what another build just made. */
  | { readonly kind: 'stored'; readonly ids: readonly Digest[] }
  /** An earlier stage of the same Dockerfile under another name. */
  | { readonly kind: 'stage'; readonly stage: string };

export type NamedContexts = ReadonlyMap<string, NamedContext>;

/** @throws BuildError CONTEXT_NOT_FOUND, CONTEXT_INVALID; DockerfileError for a git URL that contradicts itself */
export function parseNamedContexts(values: Readonly<Record<string, string>>): NamedContexts {
  return new Map(Object.entries(values).map(([name, value]) => [normalName(name), parseOne(name, value)]));
}

/** `busybox`, `busybox:latest` and `docker.io/library/busybox` are one name. */
export function normalName(name: string): string {
  const lower = name.toLowerCase();
  return isReference(lower) ? familiarName(parseReference(lower)).replace(/:latest$/, '') : lower;
}

/** What the language is told of a context. */
export function kindOf(context: NamedContext): ContextKind {
  switch (context.kind) {
    case 'layout':
    case 'image':
    case 'stored':
      return 'image';
    case 'stage':
      return { stage: context.stage };
    case 'folder':
    case 'archive':
    case 'git':
    case 'url':
      return 'tree';
  }
}

function parseOne(name: string, value: string): NamedContext {
  const prefixed = parsePrefixed(name, value);
  if (prefixed !== undefined) return prefixed;
  const path = resolve(value);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return { kind: 'folder', folder: path };
  if (stats?.isFile() === true) return { kind: 'archive', path };
  throw new BuildError('CONTEXT_NOT_FOUND', `--build-context ${name}: path "${value}" is not a folder`);
}

function parsePrefixed(name: string, value: string): NamedContext | undefined {
  const after = (prefix: string) => (value.startsWith(prefix) ? value.slice(prefix.length) : undefined);
  const image = after('docker-image://');
  if (image !== undefined) return { kind: 'image', name: image };
  const layout = after('oci-layout://');
  if (layout !== undefined) return parseLayout(layout);
  const ids = after('store-image://')?.split(',');
  if (ids !== undefined) {
    if (ids.every(isDigest)) return { kind: 'stored', ids };
    throw new BuildError('CONTEXT_INVALID', `--build-context ${name}: ${ids.join(',')} is no image id`, {
      exitCode: 125,
    });
  }
  const stage = after('target:');
  if (stage !== undefined) return { kind: 'stage', stage };
  const git = parseGitUrl(value);
  if (git !== undefined) return { kind: 'git', url: git };
  return /^https?:\/\//.test(value) ? { kind: 'url', url: value } : undefined;
}

/** `path[@digest]` or `path[:tag]`; a colon before a slash belongs to the path. */
function parseLayout(text: string): NamedContext {
  const at = text.indexOf('@sha');
  if (at >= 0) return { kind: 'layout', path: resolve(text.slice(0, at)), reference: text.slice(at + 1) };
  const colon = text.lastIndexOf(':');
  if (colon > text.lastIndexOf('/'))
    return { kind: 'layout', path: resolve(text.slice(0, colon)), reference: text.slice(colon + 1) };
  return { kind: 'layout', path: resolve(text), reference: '' };
}
