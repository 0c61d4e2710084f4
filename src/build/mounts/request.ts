import type { SshRequest } from './ssh/request.ts';
import type { SecretRequest } from './secret-request.ts';

/** What RUN mounts are given from outside of the Dockerfile. */
export interface MountsRequest {
  readonly secrets: readonly SecretRequest[];
  readonly ssh: readonly SshRequest[];
}
