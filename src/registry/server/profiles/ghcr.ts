import { ProtocolError } from '../protocol-error.ts';
import type { ServerLayer } from '../pipeline.ts';
import type { Profile, ProfileOptions } from './profile.ts';
import { behave, type Quirk } from './quirk.ts';
import { serviceTokens } from './token-profile.ts';

/** The GitHub container registry, as its clients know it. */
export function ghcrProfile(options: ProfileOptions): Profile {
  const answer: ServerLayer = behave(challengeQuirks);
  return {
    rules: { referrers: false, deletion: { tags: false, manifests: false, blobs: false } },
    layers: [answer, serviceTokens(options, 'ghcr.io'), behave(ghcrQuirks)],
  };
}

const challengeQuirks: readonly Quirk[] = [
  {
    rule: 'the challenge of /v2/ names a scope that means nothing',
    answer: ({ status, headers }, { endpoint }) => {
      if (status !== 401 || endpoint?.route !== 'ping') return;
      headers['www-authenticate'] = `${String(headers['www-authenticate'])},scope="repository:user/image:pull"`;
    },
  },
];

const ghcrQuirks: readonly Quirk[] = [
  {
    rule: 'nothing is deleted by the registry API',
    before: ({ request, endpoint }) => {
      if (request.method === 'DELETE' && endpoint?.action === 'delete')
        throw new ProtocolError('UNSUPPORTED', 'The operation is unsupported.');
    },
  },
];
