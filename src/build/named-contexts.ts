import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseIgnore } from '../dockerfile/index.ts';
import { familiarName, isReference, parseReference } from '../oci/index.ts';
import { maxText } from './context.ts';
import { followInRoot, locate } from './copy/tree.ts';
import { BuildError } from './error.ts';
import type { TreeOffer } from './trees.ts';

/** One `--build-context`: what stands in for a name. */
export type NamedContext =
  | { readonly kind: 'folder'; readonly folder: string; readonly ignore: readonly string[] }
  /** A layout on disk; `reference` is a tag, a digest, or empty for the one image in it. */
  | { readonly kind: 'layout'; readonly path: string; readonly reference: string }
  | { readonly kind: 'image'; readonly name: string };

export type NamedContexts = ReadonlyMap<string, NamedContext>;

/** @throws BuildError CONTEXT_NOT_FOUND, UNSUPPORTED */
export function parseNamedContexts(values: Readonly<Record<string, string>>): NamedContexts {
  return new Map(Object.entries(values).map(([name, value]) => [normalName(name), parseOne(name, value)]));
}

/** `busybox`, `busybox:latest` and `docker.io/library/busybox` are one name. */
export function normalName(name: string): string {
  const lower = name.toLowerCase();
  return isReference(lower) ? familiarName(parseReference(lower)).replace(/:latest$/, '') : lower;
}

function parseOne(name: string, value: string): NamedContext {
  if (value.startsWith('docker-image://')) return { kind: 'image', name: value.slice('docker-image://'.length) };
  if (value.startsWith('oci-layout://')) return parseLayout(value.slice('oci-layout://'.length));
  if (/^(https?|git|ssh):\/\//.test(value)) {
    throw new BuildError('UNSUPPORTED', `--build-context ${name}: remote contexts are not supported yet`, {
      exitCode: 125,
    });
  }
  const folder = resolve(value);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new BuildError('CONTEXT_NOT_FOUND', `--build-context ${name}: path "${value}" is not a folder`);
  }
  return { kind: 'folder', folder, ignore: readIgnore(folder) };
}

/** As in the main context: a regular file, links followed inside the folder only. A FIFO would be waited for without end. */
function readIgnore(folder: string): readonly string[] {
  const found = followInRoot(folder, '.dockerignore');
  if (!found?.stats.isFile() || found.stats.size > maxText) return [];
  return parseIgnore(readFileSync(locate(folder, found.path), 'utf8'));
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

export function foldersOf(contexts: NamedContexts): TreeOffer['folders'] {
  const folders = new Map<string, { folder: string; ignore: readonly string[] }>();
  for (const [name, context] of contexts) if (context.kind === 'folder') folders.set(name, context);
  return folders;
}
