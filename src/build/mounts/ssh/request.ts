import { lstatSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../../errors.ts';
import { BuildError } from '../../error.ts';
import type { AgentSource } from './agent.ts';
import { parsePrivateKey } from './private-key.ts';

/** `--ssh`: an id, and what stands behind it. */
export interface SshRequest {
  readonly id: string;
  /** A socket, or private key files; empty: the agent that SSH_AUTH_SOCK names. */
  readonly paths: readonly string[];
}

const largestKey = 100 * 1024;

/** The meaning of one `--ssh`, as buildx reads it: `default`, or `ID[=SOCKET|KEY[,KEY…]]`. */
export function parseSsh(text: string): SshRequest {
  const equals = text.indexOf('=');
  if (equals < 0) return { id: text, paths: [] };
  return {
    id: text.slice(0, equals),
    paths: text
      .slice(equals + 1)
      .split(',')
      .filter(Boolean),
  };
}

/**
 * Opens what stands behind an id; undefined: nothing was given for it. Of several requests the last counts.
 * @throws BuildError SECRET_UNAVAILABLE
 */
export async function agentSource(
  id: string,
  requests: readonly SshRequest[],
  environment: NodeJS.ProcessEnv,
): Promise<AgentSource | undefined> {
  const request = requests.findLast((each) => each.id === id);
  if (request === undefined) return undefined;
  const own = environment['SSH_AUTH_SOCK'] ?? '';
  const paths = request.paths.length > 0 ? request.paths : [own];
  const [path = ''] = paths;
  if (path === '') throw unavailable(id, 'there is no agent: SSH_AUTH_SOCK is not set');
  if (isSocket(id, path)) {
    if (paths.length > 1) throw unavailable(id, 'give either one socket or private keys');
    return { kind: 'socket', path };
  }
  return { kind: 'keys', keys: await Promise.all(paths.map((each) => readKey(id, each))) };
}

function isSocket(id: string, path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch (cause) {
    const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    throw unavailable(id, `${path}: ${isLink ? 'a link to nothing' : 'there is no such socket or key'}`, cause);
  }
}

async function readKey(id: string, path: string): Promise<Uint8Array> {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new Error('it is neither a socket nor a file');
    if (stat.size > largestKey) throw new Error('it is too large for a private key');
    const key = await readFile(path);
    parsePrivateKey(key);
    return key;
  } catch (cause) {
    throw unavailable(id, `${path}: ${messageOf(cause)}`, cause);
  }
}

function unavailable(id: string, why: string, cause?: unknown): BuildError {
  return new BuildError('SECRET_UNAVAILABLE', `ssh ${id}: ${why}`, {
    cause,
    hint: 'start an agent (`eval "$(ssh-agent)"; ssh-add`) and give --ssh default, or name keys without a passphrase: --ssh default=KEY',
  });
}
