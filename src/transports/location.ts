import { type Digest, isDigest } from '../oci/index.ts';
import { TransportError } from './error.ts';
import { createDockerArchive, createOciArchive, type ArchiveSinkOptions } from './archive-sink.ts';
import { openDockerArchive, openOciArchive } from './archive-source.ts';
import type { ArchiveOptions } from './archive-files.ts';
import { openLayout } from './layout-target.ts';
import type { TransportSink, TransportSource } from './transport.ts';

/** A place on this machine's disk, and what is meant in it. */
export interface FileLocation {
  readonly kind: 'oci' | 'oci-archive' | 'docker-archive';
  readonly path: string;
  /** A tag, a full name, a digest, or empty: the only image. */
  readonly reference: string;
}

/** An image's name, in a registry (`docker://…`) or, without a prefix, in the local store. */
export interface NamedLocation {
  readonly kind: 'docker' | 'store';
  readonly reference: string;
}

export type Location = FileLocation | NamedLocation;

const fileKinds = new Set(['oci', 'oci-archive', 'docker-archive']);
const foreignKinds = new Set(['dir', 'docker-daemon', 'containers-storage', 'ostree', 'sif', 'tarball', 'atomic']);

/**
 * Reads where an image is: `oci:PATH[:NAME]`, `oci-archive:PATH[:NAME]`, `docker-archive:PATH[:NAME]` (the path ends at its
 * first colon, as skopeo has it), `oci-layout://PATH[:TAG]` (as buildx has it: the tag begins after the last slash), each also
 * with `@DIGEST`; `docker://NAME`; any other text is a name in the store.
 * @throws TransportError INVALID_LOCATION
 */
export function parseLocation(text: string): Location {
  const [, kind, rest] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  if (kind === undefined || rest === undefined) return { kind: 'store', reference: text };
  if (fileKinds.has(kind)) return fileLocation(kind as FileLocation['kind'], rest, text, rest.indexOf(':'));
  if (rest.startsWith('//')) return urlLocation(kind, rest.slice(2), text);
  if (foreignKinds.has(kind) && /[/.]/.test(rest)) refuse(text, `${kind}: is not supported`);
  return { kind: 'store', reference: text };
}

function urlLocation(kind: string, rest: string, text: string): Location {
  if (kind === 'docker') {
    return rest === '' ? refuse(text, 'the name is missing') : { kind: 'docker', reference: rest };
  }
  if (kind === 'oci-layout') return fileLocation('oci', rest, text, rest.indexOf(':', rest.lastIndexOf('/') + 1));
  return refuse(text, `${kind}:// is not known`);
}

function fileLocation(kind: FileLocation['kind'], rest: string, text: string, nameAt: number): FileLocation {
  const [, before, digest] = /^(.*)@([^@/]*:[^@/]*)$/s.exec(rest) ?? [];
  if (digest !== undefined && before !== undefined) {
    if (!isDigest(digest)) refuse(text, `${JSON.stringify(digest)} is not a digest`);
    const colon = nameAt >= 0 && nameAt < before.length ? nameAt : before.length;
    return { kind, path: nonEmpty(before.slice(0, colon), text), reference: digest satisfies Digest };
  }
  if (nameAt < 0) return { kind, path: nonEmpty(rest, text), reference: '' };
  return { kind, path: nonEmpty(rest.slice(0, nameAt), text), reference: rest.slice(nameAt + 1) };
}

function nonEmpty(path: string, text: string): string {
  return path === '' ? refuse(text, 'the path is missing') : path;
}

function refuse(text: string, reason: string): never {
  throw new TransportError(
    'INVALID_LOCATION',
    `not a place for images: ${JSON.stringify(text.slice(0, 300))}: ${reason}`,
    {
      hint: 'places are oci:PATH[:NAME], oci-archive:PATH[:NAME], docker-archive:PATH[:NAME], docker://NAME, or an image name',
    },
  );
}

/** Opens a place on disk for reading. */
export function openSource(location: FileLocation, options: ArchiveOptions = {}): Promise<TransportSource> {
  switch (location.kind) {
    case 'oci':
      return openLayout(location.path);
    case 'oci-archive':
      return openOciArchive(location.path, options);
    case 'docker-archive':
      return openDockerArchive(location.path, options);
  }
}

/** Opens a place on disk for writing; a layout folder is made or added to, an archive is made anew. */
export function openSink(location: FileLocation, options: ArchiveSinkOptions = {}): Promise<TransportSink> {
  switch (location.kind) {
    case 'oci':
      return openLayout(location.path, { create: true });
    case 'oci-archive':
      return createOciArchive(location.path, options);
    case 'docker-archive':
      return createDockerArchive(location.path, options);
  }
}
