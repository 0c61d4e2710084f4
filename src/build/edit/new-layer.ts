import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import {
  type CompressedLayer,
  compressToFile,
  rewriteToFile,
  type Rewriting,
  surveyInWorker,
} from '../../layer/index.ts';
import {
  type CallOptions,
  type Compression,
  compressionOf,
  type Descriptor,
  type Digest,
  layerTypes,
} from '../../oci/index.ts';
import type { Workbench } from './workbench.ts';

/** A layer that is ready: its blob is on the bench. */
export interface NewLayer {
  /** With an OCI media type. */
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface NewLayerOptions extends CallOptions {
  /** As it comes where it is compressed already, else gzip, unless given. */
  readonly compression?: Compression | undefined;
}

/**
 * A layer from a tar, compressed or not. What is compressed as wanted keeps its bytes.
 * @param source a file, which must stay until the bench is disposed of, or a stream
 * @throws LayerError for what is no tar
 */
export async function layerFromTar(
  bench: Workbench,
  source: string | Readable,
  { compression, signal }: NewLayerOptions = {},
): Promise<NewLayer> {
  const path = typeof source === 'string' ? source : await bench.spool(source, { signal });
  const facts = await surveyInWorker({ path }, { signal });
  const wanted = compression ?? (facts.compression === 'none' ? 'gzip' : facts.compression);
  if (wanted !== facts.compression) return compressed(bench, path, { compression: wanted, signal });
  const descriptor = { mediaType: layerTypes.oci[wanted], ...facts.blob };
  bench.addFile(descriptor, path);
  return { descriptor, diffId: facts.diffId };
}

/** The layer in `path` under another compression. */
export function compressed(
  bench: Workbench,
  path: string,
  { compression, signal }: CallOptions & { readonly compression: Compression },
): Promise<NewLayer> {
  return written(bench, compression, (fd) => compressToFile({ blob: path }, fd, { compression, signal }));
}

/** What comes of rewriting layers, which are files. */
export function rewritten(
  bench: Workbench,
  how: Rewriting,
  { compression, signal }: CallOptions & { readonly compression: Compression },
): Promise<NewLayer> {
  return written(bench, compression, (fd) => rewriteToFile(how, fd, { compression, signal }));
}

async function written(
  bench: Workbench,
  compression: Compression,
  write: (fd: number) => Promise<CompressedLayer>,
): Promise<NewLayer> {
  const path = await bench.newFile();
  await using file = await open(path, 'wx', 0o600);
  const { digest, size, diffId } = await write(file.fd);
  const descriptor = { mediaType: layerTypes.oci[compression], digest, size };
  bench.addFile(descriptor, path);
  return { descriptor, diffId };
}

/** How a layer is compressed, by its media type; gzip for what says nothing. */
export function compressionOfLayer({ mediaType }: Descriptor): Compression {
  return compressionOf(mediaType) ?? 'gzip';
}
