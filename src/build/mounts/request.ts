import type { SshRequest } from './ssh/request.ts';
import type { SecretRequest } from './secret-request.ts';

/** What RUN mounts are given from outside of the Dockerfile. */
export interface MountsRequest {
  readonly secrets: readonly SecretRequest[];
  /** A folder that cache mounts are read from before the build, and one that they are written to after it. */
  readonly cacheMountImport?: string | undefined;
  readonly cacheMountExport?: string | undefined;
  readonly ssh: readonly SshRequest[];
}
