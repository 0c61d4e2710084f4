import type { ServerLayer, Visit } from '../pipeline.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { Access } from './access-list.ts';
import { basicUser, quoted } from './authorization.ts';
import type { Users } from './users.ts';

export interface BasicAuthOptions {
  readonly users: Users;
  readonly access: Access;
  /** What a login is for, told to clients. */
  readonly realm?: string | undefined;
}

/**
 * Lets in who proves to be a user by Basic authentication (RFC 7617), as far as the access list goes. `/v2/` itself always
 * wants a login, since clients ask there whether they need one.
 */
export function basicAuth({ users, access, realm = 'Slipway registry' }: BasicAuthOptions): ServerLayer {
  const challenge = (message: string): ProtocolError =>
    new ProtocolError('UNAUTHORIZED', message, {
      headers: { 'www-authenticate': `Basic realm=${quoted(realm)}, charset="UTF-8"` },
    });
  return async (visit, next) => {
    const known = await basicUser(visit, users);
    if (known === undefined) throw challenge('the user or the password is wrong');
    const user = known === 'none' ? undefined : known.user;
    visit.user = user;
    visit.may = (action, repository) => access(user, action, repository);
    if (isAllowed(visit, access)) return next();
    if (user === undefined) throw challenge('a login is needed');
    throw denied(visit);
  };
}

function isAllowed({ endpoint, user }: Visit, access: Access): boolean {
  // There is nothing behind it, and the answer says so.
  if (endpoint === undefined) return true;
  if (endpoint.action === 'none') return user !== undefined;
  return access(user, endpoint.action, endpoint.name);
}

export function denied({ user, endpoint }: Visit): ProtocolError {
  const what = endpoint?.name === '' ? endpoint.action : `${endpoint?.action} ${endpoint?.name}`;
  return new ProtocolError('DENIED', `${user ?? 'this token'} may not ${what}`, {
    detail: { action: endpoint?.action, name: endpoint?.name },
  });
}
