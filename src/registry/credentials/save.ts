import { mkdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { putFile } from '../../system/index.ts';
import { canonicalHost, hub } from '../host.ts';
import { entriesOf, parseAuthFile, parseObject } from './auth-file.ts';
import { type CredentialProgram, credentialProgram } from './credential-program.ts';
import { type Credential, encodeBasic } from './credential.ts';
import { hostOfKey } from './host-match.ts';
import { programOf } from './lookup.ts';
import { type CredentialEnvironment, credentialPaths, loginPath, readCredentialFile } from './sources.ts';

export interface SaveOptions {
  readonly environment?: CredentialEnvironment | undefined;
  readonly program?: ((suffix: string) => CredentialProgram) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a credential went: a file, or the program that keeps it. */
export interface SavedCredential {
  readonly place: string;
  /** False in a file: base64 hides nothing, and the user should be told. */
  readonly protected: boolean;
}

/**
 * Keeps a credential for `host`: in the credential program that the file names for it, else in the file itself (mode
 * 0600, replaced in one step, other members kept, through a symbolic link to its target).
 * @throws RegistryError CREDENTIALS
 */
export async function saveCredential(
  host: string,
  credential: Credential,
  options: SaveOptions = {},
): Promise<SavedCredential> {
  const path = loginPath(options.environment);
  const suffix = await programFor(path, host);
  const key = fileKey(host);
  if (suffix !== undefined) {
    await (options.program ?? credentialProgram)(suffix).store(canonicalHost(host), credential, options.signal);
    // an empty entry, as docker writes it, lists the host among the logins
    await editAuths(path, (auths) => ({ ...without(auths, host), [key]: {} }));
    return { place: `docker-credential-${suffix}`, protected: true };
  }
  await editAuths(path, (auths) => ({ ...without(auths, host), [key]: entryOf(credential) }));
  return { place: path, protected: false };
}

/**
 * Forgets the credential for `host` in every file and program that is looked at; true if there was one to forget.
 * @throws RegistryError CREDENTIALS
 */
export async function eraseCredential(host: string, options: SaveOptions = {}): Promise<boolean> {
  let erased = false;
  for (const path of new Set([loginPath(options.environment), ...credentialPaths(options.environment)])) {
    const text = await readCredentialFile(path);
    if (text === undefined) continue;
    const suffix = await programFor(path, host);
    if (suffix !== undefined) {
      const program = (options.program ?? credentialProgram)(suffix);
      const stored = await program.get(canonicalHost(host), options.signal);
      if (stored !== undefined) await program.erase(canonicalHost(host), options.signal);
      erased ||= stored !== undefined;
    }
    const auths = Object.fromEntries(entriesOf(parseObject(text, path).auths));
    if (Object.keys(without(auths, host)).length === Object.keys(auths).length) continue;
    await editAuths(path, (current) => without(current, host));
    erased = true;
  }
  return erased;
}

async function programFor(path: string, host: string): Promise<string | undefined> {
  const file = parseAuthFile((await readCredentialFile(path)) ?? '{}', path);
  return programOf(file.credHelpers, host) ?? file.credsStore;
}

function fileKey(host: string): string {
  const name = canonicalHost(host);
  return name === hub.name ? hub.credentialKey : name;
}

type Auths = Readonly<Record<string, unknown>>;

/** All entries but those of the host itself; namespaced ones below it stay, they are other logins. */
function without(auths: Auths, host: string): Auths {
  const isHost = (key: string): boolean =>
    hostOfKey(key) === canonicalHost(host) && (/^https?:\/\//i.test(key) || !key.includes('/'));
  return Object.fromEntries(Object.entries(auths).filter(([key]) => !isHost(key)));
}

function entryOf(credential: Credential): Record<string, string> {
  if (credential.kind === 'identity-token') {
    const { token, username } = credential;
    return username === undefined
      ? { identitytoken: token }
      : { auth: encodeBasic({ kind: 'basic', username, password: '' }), identitytoken: token };
  }
  if (credential.kind === 'registry-token') return { registrytoken: credential.token };
  return { auth: encodeBasic(credential) };
}

async function editAuths(path: string, edit: (auths: Auths) => Auths): Promise<void> {
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
