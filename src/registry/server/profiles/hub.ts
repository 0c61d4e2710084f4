import { limitPulls } from './pull-limits.ts';
import type { Profile, ProfileOptions } from './profile.ts';
import { behave, type Quirk } from './quirk.ts';
import { serviceTokens } from './token-profile.ts';

/** Docker Hub, as its clients know it. */
export function hubProfile(options: ProfileOptions): Profile {
  return {
    rules: { referrers: false, deletion: { tags: false, manifests: true, blobs: false } },
    layers: [serviceTokens(options, 'registry.docker.io'), limitPulls(options.hub ?? {}), behave(hubQuirks)],
  };
}

const hubQuirks: readonly Quirk[] = [
  {
    rule: 'a blob is mounted only from a repository that is named',
    before: ({ query }) => {
      if (!query.has('from')) query.delete('mount');
    },
  },
];
