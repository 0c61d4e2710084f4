import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import { parsePolicy, type PolicyRule } from './source-policy.ts';
import type { Policing } from './sources.ts';

/** Which policies a build follows. */
export interface PolicyRequest {
  /** A source policy in BuildKit's JSON form. */
  readonly file?: string | undefined;
  /** Uses the pins of the lock file, and nothing that it does not have. */
  readonly locked: boolean;
  /** Where the lock file is; `slipway.lock.json` in the context unless given. */
  readonly lockFile?: string | undefined;
}

const lockName = 'slipway.lock.json';
const largest = 16 << 20; // bytes

/** Where the lock file of a build is. `folder` is the context's; without one it is looked for in the working folder. */
export function lockPath(request: PolicyRequest | undefined, folder: string | undefined): string {
  return request?.lockFile ?? (folder === undefined ? lockName : join(folder, lockName));
}

/**
 * The policies that a build follows, the lock file's rules last; undefined where it follows none.
 * @throws BuildError POLICY_INVALID, NOT_LOCKED where there is no lock file
 */
export async function openPolicies(
  request: PolicyRequest | undefined,
  folder: string | undefined,
): Promise<Policing | undefined> {
  if (request === undefined || (request.file === undefined && !request.locked)) return undefined;
  const rules: PolicyRule[] = [];
  if (request.file !== undefined) rules.push(...(await rulesIn(request.file)));
  if (request.locked) {
    const path = lockPath(request, folder);
    if (!(await exists(path))) {
      throw new BuildError('NOT_LOCKED', `there is no lock file ${path}`, { hint: '`slipway lock` writes it' });
    }
    rules.push(...(await rulesIn(path)));
  }
  return { policy: { rules }, locked: request.locked };
}

/**
 * The rules of a policy file.
 * @throws BuildError POLICY_INVALID
 */
export async function rulesIn(path: string): Promise<readonly PolicyRule[]> {
  try {
    const { size } = await stat(path);
    if (size > largest) throw new Error(`it has ${size} bytes`);
    return parsePolicy(await readFile(path, 'utf8'), path).rules;
  } catch (error) {
    if (error instanceof BuildError) throw error;
    const message = `the source policy ${path} cannot be used: ${reasonOf(error)}`;
    throw new BuildError('POLICY_INVALID', message, { exitCode: 125, cause: error });
  }
}

/** Whether there is anything at a path that can be looked at. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
