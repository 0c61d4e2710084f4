import { pipeline, type Readable, Transform } from 'node:stream';
import type { Descriptor } from '../../oci/index.ts';
import type { CopyProgress } from './copy.ts';

/** Bytes between two events. */
const step = 256 * 1024;

/** The same bytes, with progress shown as they pass. */
export function withProgress(content: Readable, descriptor: Descriptor, progress: CopyProgress): Readable {
  let bytes = 0;
  let told = 0;
  progress.event({ kind: 'started', descriptor });
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes - told >= step) {
        told = bytes;
        progress.event({ kind: 'progress', descriptor, bytes });
      }
      done(null, chunk);
    },
    flush(done) {
      progress.event({ kind: 'done', descriptor });
      done();
    },
  });
  return pipeline(content, counter, () => undefined);
}
