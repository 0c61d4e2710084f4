import { type Access, plainAccess } from '../auth/access-list.ts';
import { grantBy, ownTokenAuth } from '../auth/token-auth.ts';
import { openTokenSigner } from '../auth/token-signer.ts';
import type { Grant } from '../auth/token-service.ts';
import { anyUser } from '../auth/users.ts';
import { isRepositoryName } from '../names.ts';
import type { ServerLayer } from '../pipeline.ts';
import type { RegistryStorage } from '../storage/storage.ts';
import type { ProfileOptions } from './profile.ts';

/** Everybody pulls what is there, and users do what they like below their own names. */
const ownNamespace: Access = (user, action, repository) =>
  plainAccess({ anonymousPull: true })(undefined, action, repository) ||
  (user !== undefined && (action === 'push' || action === 'delete') && repository.startsWith(`${user}/`));

/** The token server that hosted services have beside their registry; it says nothing of what is not there. */
export function serviceTokens({ storage, users, access }: ProfileOptions, service: string): ServerLayer {
  return ownTokenAuth({
    users: users ?? anyUser,
    access: access ?? ownNamespace,
    grant: onlyWhatIsThere(grantBy(access ?? ownNamespace), storage),
    signer: openTokenSigner(),
    issuer: service,
    services: [service],
  });
}

/** Who may not push learns nothing of a repository that is not there: it is as one that he may not read. */
function onlyWhatIsThere(grant: Grant, storage: RegistryStorage): Grant {
  return async (user, wanted) => {
    const granted = await grant(user, wanted);
    if (wanted.type !== 'repository' || !isRepositoryName(wanted.name)) return [];
    const mayPush = (await grant(user, { ...wanted, actions: ['push'] })).length > 0;
    return mayPush || (await storage.repository(wanted.name).exists()) ? granted : [];
  };
}
