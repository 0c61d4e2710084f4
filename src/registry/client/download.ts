import type { Readable } from 'node:stream';
import { type Descriptor, type FetchOptions, Verifier } from '../../oci/index.ts';
import { BlobRequest } from './blob-request.ts';
import type { RepositoryConnection } from './connection.ts';
import { PieceStream } from './piece-stream.ts';
import { RangeStream } from './range-stream.ts';

/**
 * Streams a blob, verified against its descriptor while it passes (unless from an offset, or `unverified`). A connection that breaks
 * or stands still is continued by Range where it stopped; a large blob comes by several connections.
 * @throws OciError NOT_FOUND; the stream: DIGEST_MISMATCH, SIZE_MISMATCH
 */
export async function fetchBlob(
  connection: RepositoryConnection,
  descriptor: Descriptor,
  options: FetchOptions = {},
): Promise<Readable> {
  const { offset = 0, unverified = false, signal } = options;
  const { parallelFrom, parallelStreams, pieceSize } = connection.transfers;
  const range = { start: offset, end: descriptor.size };
  // which mirror gave wrong bytes is only known here, whoever else looks at them
  const trusting = unverified && connection.mirrors === undefined;
  const verifier = offset > 0 || trusting ? undefined : new Verifier(descriptor);
  const request = new BlobRequest(connection, descriptor, signal);
  const leave = connection.lanes.enter();
  try {
    const divided = parallelStreams > 1 && range.end - range.start > parallelFrom;
    const opened = await request.open(divided ? { start: offset, end: offset + pieceSize } : range);
    const stream =
      divided && request.knowsRange
        ? new PieceStream(request, {
            range,
            opened,
            verifier,
            pieceSize,
            streams: parallelStreams,
            lanes: connection.lanes,
          })
        : new RangeStream(request, { range, opened, verifier });
    return stream.once('close', leave);
  } catch (error) {
    leave();
    throw error;
  }
}
