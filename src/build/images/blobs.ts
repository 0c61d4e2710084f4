import { Transform, pipeline, type Readable } from 'node:stream';
import { type CallOptions, type Descriptor, type Digest, isDigest } from '../../oci/index.ts';
import { openLayout } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace } from './image-place.ts';

/** Part of a blob: bytes from `start`, up to and with `end` or the last. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number | undefined;
}

/** The digest that a place's text gives (`NAME@DIGEST`). @throws BuildError OUTPUT_INVALID */
export function blobDigest({ text }: Pick<ImagePlace, 'text'>): Digest {
  const digest = text.slice(text.lastIndexOf('@') + 1);
  if (isDigest(digest)) return digest;
  throw new BuildError('OUTPUT_INVALID', `${text} names no blob`, { hint: 'a blob is NAME@DIGEST' });
}

/**
 * What a blob is that is known by its digest alone; its media type is said by the manifests that name it.
 * @throws OciError NOT_FOUND
 */
export async function describeBlob(place: ImagePlace, options: CallOptions = {}): Promise<Descriptor> {
  const digest = blobDigest(place);
  if (place.kind !== 'store') return place.target.describeBlob(digest, options);
  // A store is a layout that can be read in place.
  return (await openLayout(place.store.root)).describeBlob(digest);
}

/**
 * The bytes of a blob, verified, or a part of them, which cannot be.
 * @throws OciError NOT_FOUND, and the stream DIGEST_MISMATCH, SIZE_MISMATCH
 */
export async function readBlob(
  place: ImagePlace,
  blob: Descriptor,
  { range, signal }: CallOptions & { readonly range?: ByteRange | undefined } = {},
): Promise<Readable> {
  if (range === undefined) return place.target.fetch(blob, { signal });
  const end = Math.min(range.end ?? blob.size - 1, blob.size - 1);
  if (range.start > end) {
    throw new BuildError(
      'OUTPUT_INVALID',
      `${blob.digest} has ${blob.size} bytes, none of them in ${formatRange(range)}`,
    );
  }
  const source = await place.target.fetch(blob, { signal, offset: range.start });
  return firstBytes(source, end - range.start + 1);
}

/** What is behind them is not asked for any more. */
function firstBytes(source: Readable, count: number): Readable {
  let left = count;
  const part = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const wanted = chunk.subarray(0, left);
      left -= wanted.byteLength;
      this.push(wanted);
      if (left === 0) this.push(null);
      done();
    },
  });
  part.once('end', () => source.destroy());
  return pipeline(source, part, () => undefined);
}

function formatRange({ start, end }: ByteRange): string {
  return `${start}-${end ?? ''}`;
}

/** Deletes a blob from a registry. @throws OciError NOT_FOUND; RegistryError UNSUPPORTED; BuildError UNSUPPORTED elsewhere */
export async function removeBlob(place: ImagePlace, options: CallOptions = {}): Promise<Digest> {
  const digest = blobDigest(place);
  if (place.kind === 'registry') await place.target.deleteBlob(digest, options);
  else throw new BuildError('UNSUPPORTED', `no single blob is taken out of ${place.text}`);
  return digest;
}
