import { boolean, option, string } from '@oclif/core/flags';
import { UsageError } from '../../errors.ts';
import type { Access, ServerLayer } from '../../registry/index.ts';
import { parseDuration } from '../time.ts';
import { readNamed } from './tls.ts';

/** Who may use the embedded registry. */
export const authFlags = {
  htpasswd: string({ description: 'Users, as htpasswd -B writes them; read again when it changes', helpValue: 'FILE' }),
  auth: option({
    options: ['basic', 'token'] as const,
    description: 'How users prove who they are: Basic, or tokens that the registry gives itself; basic unless given',
    dependsOn: ['htpasswd'],
    helpValue: 'HOW',
  })(),
  access: string({
    description: 'Access list, WHO WHAT REPOSITORIES a line; without it, users may do everything',
    helpValue: 'FILE',
  }),
  'anonymous-pull': boolean({ description: 'Everybody may pull, also without a login', default: false }),
  'auth-token-key': string({
    description: 'Private key that signs tokens, PEM; a new one at each start unless given',
    dependsOn: ['htpasswd'],
    helpValue: 'FILE',
  }),
  'auth-token-life': string({
    description: 'How long a token holds; 5m unless given',
    dependsOn: ['htpasswd'],
    helpValue: 'DURATION',
  }),
  'auth-token-realm': string({
    description: 'Where tokens are had: another token server, or this one as clients reach it',
    helpValue: 'URL',
  }),
  'auth-token-service': string({
    description: "What tokens for this registry are for; 'slipway-registry' unless given",
    helpValue: 'NAME',
  }),
  'auth-token-issuer': string({
    description: "Who gives tokens; 'slipway-registry' unless given",
    helpValue: 'NAME',
  }),
  'auth-token-cert': string({
    description: 'Certificates or keys that tokens are signed with, PEM or a JSON Web Key Set',
    helpValue: 'FILE',
  }),
} as const;

export interface AuthValues {
  readonly htpasswd?: string | undefined;
  readonly auth?: 'basic' | 'token' | undefined;
  readonly access?: string | undefined;
  readonly 'anonymous-pull': boolean;
  readonly 'auth-token-key'?: string | undefined;
  readonly 'auth-token-life'?: string | undefined;
  readonly 'auth-token-realm'?: string | undefined;
  readonly 'auth-token-service'?: string | undefined;
  readonly 'auth-token-issuer'?: string | undefined;
  readonly 'auth-token-cert'?: string | undefined;
}

const ownName = 'slipway-registry';

/** The layer that asks who comes; undefined where everybody may do everything. @throws UsageError, RegistryError CONFIG */
export async function serverAuth(
  values: AuthValues,
  warn: (message: string) => void,
): Promise<ServerLayer | undefined> {
  const { htpasswd, auth } = values;
  if (htpasswd === undefined) return values['auth-token-cert'] === undefined ? noAuth(values) : outsideTokens(values);
  const { basicAuth, openHtpasswd, openTokenSigner, ownTokenAuth } = await import('../../registry/index.ts');
  const users = await openHtpasswd(htpasswd, warn);
  const access = await accessOf(values);
  if (auth !== 'token') return basicAuth({ users, access });
  return ownTokenAuth({
    users,
    access,
    issuer: values['auth-token-issuer'] ?? ownName,
    services: [values['auth-token-service'] ?? ownName],
    realm: values['auth-token-realm'],
    signer: openTokenSigner(await tokenKey(values)),
    life: tokenLife(values['auth-token-life']),
  });
}

async function accessOf(values: AuthValues): Promise<Access> {
  const { plainAccess, readAccessList } = await import('../../registry/index.ts');
  const anonymous = plainAccess({ anonymousPull: values['anonymous-pull'] });
  if (values.access === undefined) return anonymous;
  const listed = await readAccessList(values.access);
  return (user, action, name) =>
    listed(user, action, name) || (values['anonymous-pull'] && anonymous(undefined, action, name));
}

async function tokenKey(values: AuthValues) {
  const { 'auth-token-key': key, 'auth-token-cert': certificate } = values;
  if (key === undefined && certificate === undefined) return undefined;
  if (key === undefined) throw new UsageError('--auth-token-cert needs --auth-token-key where tokens are given here');
  return {
    key: await readNamed(key),
    certificate: certificate === undefined ? undefined : await readNamed(certificate),
  };
}

function tokenLife(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Math.floor(parseDuration(text) / 1000);
  if (seconds >= 1) return seconds;
  throw new UsageError(`invalid --auth-token-life: '${text}'`, { hint: 'A second is the least.' });
}

async function outsideTokens(values: AuthValues): Promise<ServerLayer> {
  const { 'auth-token-realm': realm, 'auth-token-cert': cert = '', 'auth-token-issuer': issuer } = values;
  if (realm === undefined || issuer === undefined) {
    throw new UsageError('tokens of another server need --auth-token-realm and --auth-token-issuer', {
      hint: 'Or name users with --htpasswd, and the registry gives tokens itself.',
    });
  }
  const { parseTrustedKeys, tokenAuth } = await import('../../registry/index.ts');
  const trusted = parseTrustedKeys(await readNamed(cert), cert);
  return tokenAuth({ issuer, service: values['auth-token-service'] ?? ownName, trusted, realm: () => realm });
}

/** Half of what makes a login must not be taken for one. */
function noAuth(values: AuthValues): undefined {
  const given = ['access', 'anonymous-pull', 'auth-token-realm', 'auth-token-service', 'auth-token-issuer'] as const;
  const alone = given.find((name) => values[name] !== undefined && values[name] !== false);
  if (alone === undefined) return undefined;
  throw new UsageError(`--${alone} says nothing without users`, {
    hint: 'Name users with --htpasswd, or the keys of a token server with --auth-token-cert.',
  });
}
