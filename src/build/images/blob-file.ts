import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type CallOptions,
  type Descriptor,
  type DigestAlgorithm,
  finishDigest,
  OciError,
  type Target,
} from '../../oci/index.ts';

/** A file as a place that holds one blob. */
export interface BlobFile extends AsyncDisposable {
  readonly target: Target;
  readonly blob: Descriptor;
}

/**
 * Opens a file, or what a stream gives (kept in a temporary file until it is disposed of: a digest comes before its content).
 */
export async function openBlobFile(
  source: string | Readable,
  algorithm: DigestAlgorithm,
  { signal }: CallOptions = {},
): Promise<BlobFile> {
  const folder = typeof source === 'string' ? undefined : await mkdtemp(join(tmpdir(), 'slipway-blob-'));
  const dispose = async (): Promise<void> => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const path = typeof source === 'string' ? source : await spool(source, join(folder ?? '', 'blob'), { signal });
    const blob = await describeFile(path, algorithm, { signal });
    return { target: fileTarget(path, blob), blob, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function spool(source: Readable, path: string, { signal }: CallOptions): Promise<string> {
  await pipeline(source, createWriteStream(path, { mode: 0o600 }), signal === undefined ? {} : { signal });
  return path;
}

async function describeFile(path: string, algorithm: DigestAlgorithm, { signal }: CallOptions): Promise<Descriptor> {
  const hash = createHash(algorithm);
  let size = 0;
  const chunks: AsyncIterable<Buffer> = createReadStream(path, signal === undefined ? {} : { signal });
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { mediaType: 'application/octet-stream', digest: finishDigest(hash, algorithm), size };
}

function fileTarget(path: string, blob: Descriptor): Target {
  const refuse = (): Promise<never> =>
    Promise.reject(new OciError('NOT_FOUND', `${path} is a single blob, ${blob.digest}`));
  return {
    label: path,
    fetch: async (_, { offset = 0, signal } = {}) =>
      createReadStream(path, { start: offset, ...(signal === undefined ? {} : { signal }) }),
    exists: async ({ digest }) => digest === blob.digest,
    push: refuse,
    resolve: refuse,
    tag: refuse,
    referrers: async () => [],
  };
}
