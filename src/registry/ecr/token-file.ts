import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { putFile } from '../../system/index.ts';
import { isRecord } from '../record.ts';
import type { EcrToken } from './ecr-api.ts';

/** A token with when it was asked for, by our own clock. */
export interface DatedToken extends EcrToken {
  readonly askedAt: number;
}

const fileLimit = 64 * 1024;

/** Where tokens wait for the next command: a folder of the user alone; undefined where AWS_ECR_DISABLE_CACHE forbids it. */
export function tokenFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env['AWS_ECR_DISABLE_CACHE']) return undefined;
  const cache = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  return join(cache, 'slipway', 'ecr');
}

/** The file of one registry and one access key: who changes credentials must not go on as somebody else. */
export function tokenPath(folder: string, host: string, identity: string): string {
  return join(folder, `${createHash('sha256').update(`${host}\n${identity}`).digest('hex').slice(0, 32)}.json`);
}

/** The token in a file; undefined where there is none that is ours alone. Never throws. */
export async function readToken(path: string): Promise<DatedToken | undefined> {
  try {
    await using file = await open(path, 'r');
    const { mode, uid, size } = await file.stat();
    if ((mode & 0o077) !== 0 || uid !== process.getuid?.() || size > fileLimit) return undefined;
    const fields: unknown = JSON.parse(await file.readFile('utf8'));
    if (!isRecord(fields)) return undefined;
    const { username, password, askedAt, expiresAt } = fields;
    if (typeof username !== 'string' || typeof password !== 'string') return undefined;
    if (typeof askedAt !== 'number' || typeof expiresAt !== 'number') return undefined;
    return { username, password, askedAt, expiresAt };
  } catch {
    // no file, or one that was cut off: the service is asked
    return undefined;
  }
}

/** Keeps a token for the next command. Never throws: without it, that one asks again. */
export async function writeToken(folder: string, path: string, token: DatedToken): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await putFile(path, JSON.stringify(token), { mode: 0o600 });
  } catch {
    // a home that cannot be written to
  }
}
