import { RegistryError } from '../error.ts';
import type { Credential } from './credential.ts';
import { isRecord } from '../record.ts';

/** docker's config.json or containers' auth.json, as far as it is about credentials. */
export interface AuthFile {
  readonly auths: ReadonlyMap<string, Credential>;
  /** Registry host to the suffix of its `docker-credential-…` program. */
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

/**
 * Reads a credential file. Entries without a credential, which docker writes beside a credential store, are left out.
 * `place` names the file for messages, which never quote its content.
 * @throws RegistryError CREDENTIALS
 */
export function parseAuthFile(text: string, place: string): AuthFile {
  const document = parseObject(text, place);
  const auths = new Map<string, Credential>();
  for (const [key, entry] of entriesOf(document.auths)) {
    const credential = credentialOf(entry, `${place}: the entry for ${key}`);
    if (credential !== undefined) auths.set(key, credential);
  }
  const credHelpers = new Map<string, string>();
  for (const [key, suffix] of entriesOf(document.credHelpers))
    if (typeof suffix === 'string') credHelpers.set(key, suffix);
  const store = document.credsStore;
  return { auths, credHelpers, credsStore: typeof store === 'string' && store !== '' ? store : undefined };
}

/** @throws RegistryError CREDENTIALS */
export function parseObject(text: string, place: string): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    if (isRecord(document)) return document;
  } catch {
    // told below, without the parser's message: that quotes the text
  }
  throw new RegistryError('CREDENTIALS', `${place} is not a JSON object`);
}

/** The members of an object; none for anything else. */
export function entriesOf(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : [];
}

function credentialOf(entry: unknown, place: string): Credential | undefined {
  const field = (name: string): string => {
    const value = entriesOf(entry).find(([key]) => key.toLowerCase() === name)?.[1];
    return typeof value === 'string' ? value : '';
  };
  if (field('identitytoken') !== '') {
    // docker writes whose it is into `auth`, with an empty password
    const username = userNamed(field('auth'));
    return { kind: 'identity-token', token: field('identitytoken'), ...(username === undefined ? {} : { username }) };
  }
  if (field('registrytoken') !== '') return { kind: 'registry-token', token: field('registrytoken') };
  if (field('auth') !== '') return decodeAuth(field('auth'), place);
  if (field('username') === '' || field('password') === '') return undefined;
  return { kind: 'basic', username: field('username'), password: field('password') };
}

function decodeAuth(auth: string, place: string): Credential {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) throw new RegistryError('CREDENTIALS', `${place} is not the base64 of "user:password"`);
  // docker ends old entries with a zero byte
  return { kind: 'basic', username: text.slice(0, colon), password: withoutZeros(text.slice(colon + 1)) };
}

function userNamed(auth: string): string | undefined {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon <= 0 || text.startsWith('<token>') ? undefined : text.slice(0, colon);
}

/** The old `~/.dockercfg`: what `auths` holds today was the whole of it. @throws RegistryError CREDENTIALS */
export function parseOldAuthFile(text: string, place: string): AuthFile {
  return parseAuthFile(JSON.stringify({ auths: parseObject(text, place) }), place);
}

function withoutZeros(text: string): string {
  return text.endsWith('\0') ? withoutZeros(text.slice(0, -1)) : text;
}
