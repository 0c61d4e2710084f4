import type { Visit } from '../pipeline.ts';
import type { Users } from './users.ts';

/** Bytes of an Authorization header; a token with an x5c chain stays below. */
const longest = 16 * 1024;

export type Authorization =
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string };

/** What a request says of itself; 'none' where it says nothing, undefined where that cannot be read. */
export function authorizationOf({ request }: Pick<Visit, 'request'>): Authorization | 'none' | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return 'none';
  if (header.length > longest) return undefined;
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value };
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { scheme: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The user whom a request proves to come from by Basic; undefined for one that proves nobody, 'none' for one that does not try. */
export async function basicUser(
  visit: Pick<Visit, 'request'>,
  users: Users,
): Promise<{ readonly user: string } | 'none' | undefined> {
  const authorization = authorizationOf(visit);
  if (authorization === 'none') return 'none';
  if (authorization?.scheme !== 'basic') return undefined;
  const { user, password } = authorization;
  return (await users.verify(user, password)) ? { user } : undefined;
}

/** A value inside of quotes of a header, whatever it holds. */
export function quoted(value: string): string {
  return `"${value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
