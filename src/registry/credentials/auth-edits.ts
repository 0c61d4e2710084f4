import { mkdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { putFile } from '../../system/index.ts';
import { canonicalHost, hub } from '../host.ts';
import { entriesOf, parseObject } from './auth-file.ts';
import { type Credential, encodeBasic } from './credential.ts';
import { hostOfKey } from './host-match.ts';
import { readCredentialFile } from './sources.ts';

/** The members of `auths` in a credential file. */
export type Auths = Readonly<Record<string, unknown>>;

/** The key of a host, as docker writes it. */
export function fileKey(host: string): string {
  const name = canonicalHost(host);
  return name === hub.name ? hub.credentialKey : name;
}

/** All entries but those of the host itself; namespaced ones below it stay, they are other logins. */
export function without(auths: Auths, host: string): Auths {
  const isHost = (key: string): boolean =>
    hostOfKey(key) === canonicalHost(host) && (/^https?:\/\//i.test(key) || !key.includes('/'));
  return Object.fromEntries(Object.entries(auths).filter(([key]) => !isHost(key)));
}

/** What stands at a key for a credential. */
export function entryOf(credential: Credential): Record<string, string> {
  if (credential.kind === 'identity-token') {
    const { token, username } = credential;
    return username === undefined
      ? { identitytoken: token }
      : { auth: encodeBasic({ kind: 'basic', username, password: '' }), identitytoken: token };
  }
  if (credential.kind === 'registry-token') return { registrytoken: credential.token };
  return { auth: encodeBasic(credential) };
}

/**
 * Changes `auths` in a file and leaves its other members: mode 0600, replaced in one step, through a symbolic link to its
 * target.
 * @throws RegistryError CREDENTIALS
 */
export async function editAuths(path: string, edit: (auths: Auths) => Auths): Promise<void> {
  const document = parseObject((await readCredentialFile(path)) ?? '{}', path);
  const auths = Object.fromEntries(entriesOf(document.auths));
  const text = `${JSON.stringify({ ...document, auths: edit(auths) }, null, '\t')}\n`;
  const target = await targetOf(path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  // Nobody but the owner can read it; root, at work on the file of somebody else (sudo), leaves it theirs.
  const owner = await ownerOf(target);
  await putFile(target, text, {
    mode: 0o600,
    finish: async (file) => {
      if (owner !== undefined && process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
    },
  });
}

async function ownerOf(path: string): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return path;
  }
}
