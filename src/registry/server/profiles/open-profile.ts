import { ecrProfile } from './ecr.ts';
import { ghcrProfile } from './ghcr.ts';
import { hubProfile } from './hub.ts';
import type { Profile, ProfileOptions } from './profile.ts';
import { strictProfile } from './strict.ts';

const profiles = { ecr: ecrProfile, hub: hubProfile, ghcr: ghcrProfile, strict: strictProfile } as const;

export type ProfileName = keyof typeof profiles;

/** A service whose ways the embedded registry takes on, for tests of clients. */
export function openProfile(name: ProfileName, options: ProfileOptions): Profile {
  return profiles[name](options);
}
