import { join } from 'node:path';
import { gitContext } from './contexts/main-context.ts';
import { type NamedContext, parseNamedContexts } from './contexts/named-contexts.ts';
import type { CachePlace } from './cache/request.ts';
import type { SecretSource } from './mounts/secret-request.ts';
import type { BuildRequest } from './request.ts';

/** The paths of this machine that a request names; what it reads below them is not told. */
export interface MachinePaths {
  readonly read: readonly string[];
  readonly written: readonly string[];
}

/**
 * Where a build would read and write, found by the same rules as it does: whoever judges what a request may do must not read it
 * differently.
 */
export function machinePaths(request: BuildRequest): MachinePaths {
  const { mounts, cache, outputs } = request;
  const read = [
    ...contextPath(request),
    ...dockerfilePaths(request),
    ...Object.entries(request.contexts).flatMap(([name, value]) => namedContextPath(name, value)),
    ...(mounts?.secrets ?? []).flatMap(({ source }) => secretPath(source)),
    ...(mounts?.ssh ?? []).flatMap(({ paths }) => paths),
    ...(cache?.from ?? []).flatMap(cachePath),
    ...optional(mounts?.cacheMountImport),
  ];
  const written = [
    ...outputs.flatMap((output) => ('destination' in output ? [output.destination] : [])),
    ...(cache?.to ?? []).flatMap((to) => (to.type === 'place' ? cachePath(to.place) : [])),
    ...optional(mounts?.cacheMountExport),
  ];
  const isPath = (path: string): boolean => path !== '' && path !== '-';
  return { read: read.filter(isPath), written: written.filter(isPath) };
}

/** What lies on this machine comes before a repository of that name. */
function contextPath(request: BuildRequest): readonly string[] {
  const { context } = request;
  return gitContext(request) !== undefined || /^https?:\/\//.test(context) ? [] : [context];
}

/** A path counts from the working folder, or from the context where nothing is there. */
function dockerfilePaths(request: BuildRequest): readonly string[] {
  const { dockerfile } = request;
  const [context] = contextPath(request);
  if (dockerfile === undefined || dockerfile === '-' || context === undefined) return [];
  return dockerfile.startsWith('/') ? [dockerfile] : [dockerfile, join(context, dockerfile)];
}

function namedContextPath(name: string, value: string): readonly string[] {
  const context = parsedContext(name, value);
  switch (context?.kind) {
    case undefined: // not there, or nothing at all
      return [value];
    case 'folder':
      return [context.folder];
    case 'archive':
    case 'layout':
      return [context.path];
    case 'git':
    case 'url':
    case 'image':
    case 'stored':
    case 'stage':
      return [];
  }
}

function parsedContext(name: string, value: string): NamedContext | undefined {
  try {
    return [...parseNamedContexts({ [name]: value }).values()][0];
  } catch {
    return undefined;
  }
}

function secretPath(source: SecretSource): readonly string[] {
  return source.kind === 'file' ? [source.path] : [];
}

function cachePath(place: CachePlace): readonly string[] {
  return place.type === 'local' ? [place.path] : [];
}

function optional(path: string | undefined): readonly string[] {
  return path === undefined ? [] : [path];
}
