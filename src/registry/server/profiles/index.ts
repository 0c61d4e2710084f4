export { openProfile, type ProfileName } from './open-profile.ts';
export type { EcrProfileOptions, HubProfileOptions, Profile, ProfileOptions } from './profile.ts';
