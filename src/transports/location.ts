import { type Digest, isDigest } from '../oci/index.ts';
import { TransportError } from './error.ts';

/** How images can be had outside of registries and the store. */
export type TransportKind = 'oci' | 'oci-archive' | 'docker-archive' | 'dir' | 'docker-daemon';

/** The path of an archive that is standard input or output. */
export const standardStream = '-';

/** A place on this machine, and what is meant in it. */
export interface FileLocation {
  readonly kind: TransportKind;
  /** Of a file or folder; `-` for standard input or output; the image's name in docker's engine. */
  readonly path: string;
  /** A tag, a full name, a digest, or empty: the only image. */
  readonly reference: string;
}

/** An image's name, in a registry or in the local store. */
export interface NamedLocation {
  readonly kind: 'docker' | 'store';
  readonly reference: string;
}

export type Location = FileLocation | NamedLocation;

/** What a name without a word before it means. */
export type PlainName = NamedLocation['kind'];

/** Reads what stands behind `KIND:`. `text` is all of it, for messages. */
type Reader = (rest: string, text: string) => Location;

/** The words before a colon. */
const readers: Readonly<Record<string, Reader>> = {
  oci: fileReader('oci'),
  'oci-archive': fileReader('oci-archive'),
  'docker-archive': fileReader('docker-archive'),
  dir: (rest, text) => ({ kind: 'dir', path: nonEmpty(rest, text), reference: '' }),
  'docker-daemon': (rest, text) => ({ kind: 'docker-daemon', path: nonEmpty(rest, text), reference: '' }),
  store: (rest, text) => named('store', rest, text),
};

/** The words before `://`. */
const urlReaders: Readonly<Record<string, Reader>> = {
  docker: (rest, text) => named('docker', rest, text),
  'oci-layout': (rest, text) => fileLocation('oci', rest, text, rest.indexOf(':', rest.lastIndexOf('/') + 1)),
};

const foreignKinds = new Set(['containers-storage', 'ostree', 'sif', 'tarball', 'atomic']);

/**
 * Reads where an image is: `oci:PATH[:NAME]`, `oci-archive:PATH[:NAME]`, `docker-archive:PATH[:NAME]` (the path ends at its
 * first colon, as skopeo has it), `oci-layout://PATH[:TAG]` (as buildx has it: the tag begins after the last slash), each also
 * with `@DIGEST`; `dir:PATH` (skopeo's folder of one image); `docker-daemon:NAME` in docker's engine; `-` for an archive on standard
 * input or output, as `oci-archive:-` and `docker-archive:-` are; `docker://NAME` in a registry, `store:NAME` in the local store; any other text is a name in `plain`.
 * @throws TransportError INVALID_LOCATION
 */
export function parseLocation(text: string, plain: PlainName = 'docker'): Location {
  if (text === standardStream) return { kind: 'docker-archive', path: standardStream, reference: '' };
  const [, kind = '', rest = ''] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  if (Object.hasOwn(readers, kind)) return readers[kind]?.(rest, text) ?? refuse(text, 'it is not known');
  if (rest.startsWith('//')) {
    const reader = Object.hasOwn(urlReaders, kind) ? urlReaders[kind] : undefined;
    return reader?.(rest.slice(2), text) ?? refuse(text, `${kind}:// is not known`);
  }
  if (foreignKinds.has(kind) && /[/.]/.test(rest)) refuse(text, `${kind}: is not supported`);
  return { kind: plain, reference: text };
}

function fileReader(kind: TransportKind): Reader {
  return (rest, text) => fileLocation(kind, rest, text, rest.indexOf(':'));
}

function named(kind: PlainName, reference: string, text: string): NamedLocation {
  return reference === '' ? refuse(text, 'the name is missing') : { kind, reference };
}

function fileLocation(kind: TransportKind, rest: string, text: string, nameAt: number): FileLocation {
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

/** True for a destination that takes standard output, where nothing else may then be written. */
export function isStandardOutput(text: string): boolean {
  const location = parseLocation(text);
  return 'path' in location && location.path === standardStream && location.kind.endsWith('-archive');
}

function refuse(text: string, reason: string): never {
  throw new TransportError(
    'INVALID_LOCATION',
    `not a place for images: ${JSON.stringify(text.slice(0, 300))}: ${reason}`,
    {
      hint: 'places are docker://NAME in a registry, store:NAME, oci:PATH[:NAME], oci-archive:PATH[:NAME], docker-archive:PATH[:NAME], dir:PATH, docker-daemon:NAME, - for an archive on standard input or output, or an image name',
    },
  );
}
