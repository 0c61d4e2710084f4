import type { Access } from '../auth/access-list.ts';
import type { Users } from '../auth/users.ts';
import type { ServerLayer } from '../pipeline.ts';
import type { RegistryRules } from '../rules.ts';
import type { RegistryStorage } from '../storage/storage.ts';
import type { UploadLimits } from '../upload-sessions.ts';

/** What makes the embedded registry behave as a service does. */
export interface Profile {
  readonly rules: RegistryRules & UploadLimits;
  /** For `RegistryServerOptions.layers`. */
  readonly layers: readonly ServerLayer[];
}

export interface ProfileOptions {
  readonly storage: RegistryStorage;
  /** Accounts; whoever has a name and a password unless given. */
  readonly users?: Users | undefined;
  /** Who may do what; as the service has it unless given. */
  readonly access?: Access | undefined;
  readonly ecr?: EcrProfileOptions | undefined;
  readonly hub?: HubProfileOptions | undefined;
  /** Bytes of each chunk but the last for `strict`; 1 MiB unless given. */
  readonly chunkMinLength?: number | undefined;
}

export interface EcrProfileOptions {
  /** Repositories that are there from the start, with `*` for any text; those that hold something are there anyway. */
  readonly repositories?: readonly string[] | undefined;
  /** A push makes the repository, as a creation template with CREATE_ON_PUSH does; false unless given. */
  readonly createOnPush?: boolean | undefined;
  /** The account setting BLOB_MOUNTING; false unless given. */
  readonly blobMounting?: boolean | undefined;
  /** Tags stay what they are; false unless given. */
  readonly immutableTags?: boolean | undefined;
}

export interface HubProfileOptions {
  /** Pulls in six hours without a login, and twice as many with one; 100 unless given. */
  readonly pullLimit?: number | undefined;
  /** Requests a minute from one address; no bound unless given. */
  readonly requestLimit?: number | undefined;
  /** For tests of what happens when the time is over. */
  readonly now?: (() => number) | undefined;
}
