import { OciError, Verifier } from '../../oci/index.ts';
import { writeFully } from '../../system/index.ts';
import { LayerError, type LayerErrorCode, layerErrorOf } from '../error.ts';
import { blobOf, type JobContext, syncFile } from './input.ts';
import type { Job } from './messages.ts';

/** A blob on its way to a file: hashed and written, and on the disk when it is as described. */
export async function keep(job: Extract<Job, { kind: 'keep' }>, context: JobContext): Promise<undefined> {
  const verifier = new Verifier(job.expect);
  const ingested = job.ingested ?? 0;
  let size = 0;
  try {
    for await (const chunk of blobOf(job, context)) {
      context.checkIn();
      verifier.update(chunk);
      size += chunk.byteLength;
      if (size > ingested) writeFully(job.ingestFd, chunk);
    }
    verifier.finish();
    if (job.sync) await syncFile(job.ingestFd);
  } catch (error) {
    // another room's errors do not cross threads
    if (error instanceof OciError) throw new LayerError(error.code as LayerErrorCode, error.message);
    throw layerErrorOf(error, 'writing a blob');
  }
}
