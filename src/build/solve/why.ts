import type { Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';
import { type Account, parseAccount, type StepAccount } from './account.ts';

/** A step of a build in the past, with its number in that build. */
export interface RememberedStep extends StepAccount {
  /** From 1, in the order of the graph. */
  readonly number: number;
}

/** What a build of the past did. */
export interface Remembered extends Omit<Account, 'steps' | 'version' | 'earlier'> {
  readonly steps: readonly RememberedStep[];
}

/**
 * What the build of an image did, step by step: by the image's name or id, or by the id of the build.
 * @throws BuildError ACCOUNT_NOT_FOUND
 */
export function rememberBuild(store: Pick<Store, 'images' | 'accounts'>, reference: string): Remembered {
  const image = store.images.find(reference);
  const found = store.accounts.find(image?.id ?? reference);
  const account = found === undefined ? undefined : parseAccount(found.document);
  if (account === undefined) {
    const known =
      image === undefined
        ? 'neither an image nor a build that is remembered'
        : 'an image that came from elsewhere, or long ago';
    throw new BuildError('ACCOUNT_NOT_FOUND', `how ${reference} was built is not known: it is ${known}`, {
      hint: 'the last 200 builds are remembered; an image that was only pulled was never built here',
    });
  }
  const { version: _, earlier: _earlier, steps, ...rest } = account;
  return { ...rest, steps: steps.map((step, at) => ({ ...step, number: at + 1 })) };
}

/**
 * The steps that a user means: one by its number, else all whose title has the text, in whatever case.
 * @throws BuildError ACCOUNT_NOT_FOUND
 */
export function stepsMeant({ steps }: Pick<Remembered, 'steps'>, wanted: string): readonly RememberedStep[] {
  const isNumber = /^#?\d+$/.test(wanted);
  const number = Number(wanted.replace('#', ''));
  const text = wanted.toLowerCase();
  const meant = steps.filter((step) => (isNumber ? step.number === number : step.title.toLowerCase().includes(text)));
  if (meant.length > 0) return meant;
  throw new BuildError('ACCOUNT_NOT_FOUND', `no step of that build is ${JSON.stringify(wanted)}`, {
    hint: 'name it by its number or by a part of its title',
    details: steps.map(({ number: each, title }) => `#${each} ${title}`),
  });
}
