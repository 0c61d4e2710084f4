import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GitTransport, GitUrl } from '../../../dockerfile/index.ts';
import { BuildError } from '../../error.ts';
import { authorizationFrom, basicAuthorization, type RemoteAccess } from '../secrets.ts';
import type { GitRun, GitSetting } from './run-git.ts';

/** Where a repository is, free of credentials. */
export interface GitRemote {
  readonly transport: GitTransport;
  /** As git is given it. */
  readonly url: string;
  /** Of http(s) URLs: who may see what authorizes us there. */
  readonly origin: string | undefined;
  /** `Basic …`, from the user info of the URL. */
  readonly authorization: string | undefined;
}

/** Milliseconds without a word from a server. */
const idleLimit = 120_000;

/**
 * Takes a remote apart. Nothing of it can be an option to git or ssh, or a transport that runs programs.
 * @throws BuildError CONTEXT_INVALID
 */
export function gitRemote(transport: GitTransport, remote: string): GitRemote {
  if (remote.startsWith('-') || /\p{Cc}/u.test(remote)) throw refused(remote);
  if (!/^[a-z0-9]+:\/\//i.test(remote)) {
    const host = /^(?:[\w-]+@)?([\w.-]+):/.exec(remote)?.[1];
    if (transport !== 'ssh' || host === undefined || host.startsWith('-')) throw refused(remote);
    return { transport, url: remote, origin: undefined, authorization: undefined };
  }
  const url = URL.parse(remote);
  const host = url === null ? '' : decodeHost(url.hostname);
  if (url === null || url.protocol !== `${transport}:` || host === '' || host.startsWith('-')) throw refused(remote);
  if (transport !== 'http' && transport !== 'https') {
    if (url.username.startsWith('-') || url.password !== '') throw refused(remote);
    return { transport, url: url.href, origin: undefined, authorization: undefined };
  }
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const authorization = username === '' && password === '' ? undefined : basicAuthorization(username, password);
  return { transport, url: url.href, origin: url.origin, authorization };
}

/** A repository and what is meant of it, for people: no credentials. */
export function shownGit({ transport, remote, ref, subdir }: GitUrl): string {
  const rest = subdir === '' ? ref : `${ref}:${subdir}`;
  return gitRemote(transport, remote).url + (rest === '' ? '' : `#${rest}`);
}

function decodeHost(hostname: string): string {
  return hostname.replace(/^%2d/i, '-');
}

function refused(remote: string): BuildError {
  const shown = remote.replace(/\/\/[^/@]*@/, '//').replace(/\p{Cc}/gu, '?');
  return new BuildError('CONTEXT_INVALID', `not the address of a git repository: ${shown}`);
}

/**
 * The run settings for a remote: transports that redirects and helpers may use, and what authorizes us, for this origin alone. With
 * an authorization no redirect is followed: git would send it along.
 */
export function accessTo(
  remote: GitRemote,
  authorization: string | undefined,
  ssh: SshSetting,
): Pick<GitRun, 'config' | 'env' | 'protocols' | 'idleLimit'> {
  // From https nothing leads to http.
  const protocols = remote.transport === 'http' ? 'http:https' : remote.transport;
  if (remote.transport === 'ssh') {
    return { protocols, idleLimit, env: sshEnvironment(ssh) };
  }
  const config: GitSetting[] = [['http.followRedirects', authorization === undefined ? 'initial' : 'false']];
  if (authorization !== undefined && remote.origin !== undefined) {
    config.push([`http.${remote.origin}/.extraHeader`, `Authorization: ${authorization}`]);
  }
  return { protocols, idleLimit, config };
}

/**
 * What authorizes us at an http(s) remote: GIT_AUTH_HEADER and GIT_AUTH_TOKEN, first those with the host's name behind a dot, then, where
 * the remote may have them, those without; at last the URL's own user info.
 */
export async function authorizationAt(
  remote: GitRemote,
  access: RemoteAccess,
  { anyHost }: { readonly anyHost: boolean },
): Promise<string | undefined> {
  if (remote.origin === undefined) return undefined;
  const { host } = new URL(remote.url);
  const suffixes = anyHost ? [`.${host}`, ''] : [`.${host}`];
  const candidates = suffixes.flatMap((suffix) => [
    { id: `GIT_AUTH_HEADER${suffix}`, header: (value: string) => value },
    { id: `GIT_AUTH_TOKEN${suffix}`, header: (token: string) => basicAuthorization('x-access-token', token) },
  ]);
  return (await authorizationFrom(candidates, access)) ?? remote.authorization;
}

export interface SshSetting {
  /** Socket of the agent that may be asked; none unless given. */
  readonly agent?: string | undefined;
  /** Whether the user's own key files may be used: for what the user named, never for what a Dockerfile names. */
  readonly ownKeys: boolean;
}

/** No configuration of the user but the hosts that are known: an unknown one could be anybody. */
function sshEnvironment({ agent, ownKeys }: SshSetting): Readonly<Record<string, string>> {
  const home = process.env['HOME'];
  const known = [...(home?.startsWith('/') ? [join(home, '.ssh/known_hosts')] : []), '/etc/ssh/ssh_known_hosts'].filter(
    (path) => existsSync(path),
  );
  const keys = ['id_ed25519', 'id_ecdsa', 'id_rsa']
    .map((name) => join(home ?? '/', '.ssh', name))
    .filter((path) => ownKeys && existsSync(path));
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ConnectTimeout=30',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
    'PermitLocalCommand=no',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    `UserKnownHostsFile=${known.length === 0 ? '/dev/null' : known.map((path) => `"${path}"`).join(' ')}`,
    `IdentityAgent=${agent === undefined ? 'none' : `"${agent}"`}`,
    ...(keys.length === 0 ? ['IdentityFile=none'] : keys.map((path) => `IdentityFile="${path}"`)),
  ];
  const command = ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', option])];
  return { GIT_SSH_COMMAND: command.map(shellWord).join(' '), GIT_SSH_VARIANT: 'ssh' };
}

function shellWord(word: string): string {
  return /^[\w./=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
