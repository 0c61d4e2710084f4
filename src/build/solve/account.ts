import { resolve } from 'node:path';
import type { Step } from '../../dockerfile/index.ts';
import { type Digest, digestOf } from '../../oci/index.ts';
import type { BuildAccounts } from '../../store/index.ts';
import type { KeyParts } from './cache-key.ts';
import type { MissReason } from '../events.ts';

/** What a build did, step by step: what a later build compares itself with, and what `slipway why` tells. */
export interface Account {
  readonly version: 1;
  readonly build: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly dockerfile: string;
  readonly steps: readonly StepAccount[];
  /** Where the build did not come to its end: what earlier builds did at the steps that it did not get to, for comparison. */
  readonly earlier?: readonly StepAccount[] | undefined;
}

export interface StepAccount {
  readonly title: string;
  readonly kind: Step['kind'];
  readonly stage: string;
  /** First line in the Dockerfile. */
  readonly line?: number | undefined;
  readonly outcome: 'image' | 'cached' | 'done' | 'failed';
  /** The named parts of its key; of an image its name and digest. */
  readonly parts: KeyParts;
  /** chainID of its result; absent where it failed, or its tree is empty. */
  readonly result?: Digest | undefined;
  readonly reasons?: readonly MissReason[] | undefined;
  readonly milliseconds?: number | undefined;
}

/** What the builds of one Dockerfile and context have in common. */
export function projectOf(request: {
  context: string;
  dockerfile?: string | undefined;
  target?: string | undefined;
}): string {
  const { context, dockerfile, target } = request;
  const isPath = context !== '-' && !/^[a-z+]+:\/\/|^git@/.test(context);
  const place = isPath ? resolve(context) : context;
  return digestOf(JSON.stringify([place, dockerfile ?? null, target ?? null]));
}

/** The account of the last build of a project; undefined where there is none that this version understands. */
export function lastAccount(accounts: BuildAccounts, project: string): Account | undefined {
  const found = accounts.latest(project);
  return found === undefined ? undefined : parseAccount(found.document);
}

/** Documents come from the store's own index; another version's are as good as none. */
export function parseAccount(document: string): Account | undefined {
  const account = JSON.parse(document) as Account;
  return account.version === 1 ? account : undefined;
}
