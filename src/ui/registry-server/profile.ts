import { boolean, integer, option, string } from '@oclif/core/flags';
import { UsageError } from '../../errors.ts';
import type { Profile, RegistryStorage } from '../../registry/index.ts';
import { parseSize } from '../size.ts';

/** Services whose ways the embedded registry takes on. */
export const profileFlags = {
  profile: option({
    options: ['ecr', 'hub', 'ghcr', 'strict'] as const,
    description:
      'Behave as Amazon ECR, Docker Hub or GHCR do, or refuse whatever the specification lets a registry refuse',
    helpValue: 'NAME',
  })(),
  'profile-repository': string({
    description: 'With ecr, a repository that is there from the start; * is any text',
    multiple: true,
    helpValue: 'NAME',
  }),
  'profile-create-on-push': boolean({ description: 'With ecr, a push makes its repository', default: false }),
  'profile-blob-mounting': boolean({ description: 'With ecr, blobs are mounted', default: false }),
  'profile-immutable-tags': boolean({ description: 'With ecr, tags are immutable', default: false }),
  'profile-pull-limit': integer({
    description: 'With hub, pulls in six hours, twice as many with a login; 100 unless given',
    min: 0,
    helpValue: 'N',
  }),
  'profile-request-limit': integer({
    description: 'With hub, requests a minute from one address',
    min: 1,
    helpValue: 'N',
  }),
} as const;

export interface ProfileValues {
  readonly profile?: 'ecr' | 'hub' | 'ghcr' | 'strict' | undefined;
  readonly 'profile-repository'?: readonly string[] | undefined;
  readonly 'profile-create-on-push': boolean;
  readonly 'profile-blob-mounting': boolean;
  readonly 'profile-immutable-tags': boolean;
  readonly 'profile-pull-limit'?: number | undefined;
  readonly 'profile-request-limit'?: number | undefined;
  readonly htpasswd?: string | undefined;
  readonly access?: string | undefined;
  readonly auth?: string | undefined;
  readonly 'chunk-min-length'?: string | undefined;
}

export interface ProfileContext {
  readonly storage: RegistryStorage;
  readonly warn: (message: string) => void;
}

/** Undefined where none is asked for. @throws UsageError, RegistryError CONFIG */
export async function serverProfile(
  values: ProfileValues,
  { storage, warn }: ProfileContext,
): Promise<Profile | undefined> {
  const { profile, htpasswd, access, 'chunk-min-length': chunk } = values;
  if (profile === undefined) return refuseLonely(values);
  if (values.auth !== undefined && profile !== 'strict') {
    throw new UsageError(`--profile ${profile} has a login of its own: leave --auth out`);
  }
  const { openHtpasswd, openProfile, readAccessList } = await import('../../registry/index.ts');
  return openProfile(profile, {
    storage,
    users: htpasswd === undefined || profile === 'strict' ? undefined : await openHtpasswd(htpasswd, warn),
    access: access === undefined || profile === 'strict' ? undefined : await readAccessList(access),
    chunkMinLength: chunk === undefined ? undefined : parseSize(chunk),
    ecr: {
      repositories: values['profile-repository'],
      createOnPush: values['profile-create-on-push'],
      blobMounting: values['profile-blob-mounting'],
      immutableTags: values['profile-immutable-tags'],
    },
    hub: { pullLimit: values['profile-pull-limit'], requestLimit: values['profile-request-limit'] },
  });
}

function refuseLonely(values: ProfileValues): undefined {
  const alone = Object.entries(values).find(
    ([name, value]) => name.startsWith('profile-') && value !== undefined && value !== false,
  );
  if (alone !== undefined) throw new UsageError(`--${alone[0]} says nothing without --profile`);
}

/** Whether a profile asks its clients who they are, so that nothing else must. */
export function hasOwnLogin({ profile }: ProfileValues): boolean {
  return profile !== undefined && profile !== 'strict';
}
