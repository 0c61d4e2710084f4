import { describe, expect, it } from '@jest/globals';
import { cacheKeyOf } from '../../../src/build/solve/cache-key.ts';
import { AccountBook } from '../../../src/build/solve/account-book.ts';
import type { ChangingStep } from '../../../src/build/solve/keys.ts';
import type { RunStep, Step } from '../../../src/dockerfile/index.ts';
import { type BuildAccount, type BuildAccounts, StoreError } from '../../../src/store/index.ts';

class Accounts implements BuildAccounts {
  readonly #all: BuildAccount[] = [];
  put(account: BuildAccount): void {
    this.#all.push(account);
  }
  latest(): BuildAccount | undefined {
    return this.#all.at(-1);
  }
  find(build: string): BuildAccount | undefined {
    return this.#all.find((account) => account.build === build);
  }
}

function run(command: string): RunStep {
  return {
    id: command,
    kind: 'run',
    title: `RUN ${command}`,
    stage: 'app',
    input: undefined,
    args: [command],
    env: [],
    proxyEnv: [],
    user: '',
    cwd: '/',
    network: 'default',
    security: 'sandbox',
    mounts: [],
    pipes: [],
  };
}

const keyOf = (step: ChangingStep, user = '') =>
  cacheKeyOf({ kind: 'run', command: JSON.stringify((step as RunStep).args), user });

function bookOf(accounts: BuildAccounts, build: string, steps: readonly Step[]): AccountBook {
  const compare = () => Promise.resolve([]);
  return new AccountBook(steps, { accounts, build, project: 'p', dockerfile: 'Dockerfile', compare });
}

const { signal } = new AbortController();
const textsOf = async (book: AccountBook, step: ChangingStep, user?: string) =>
  (await book.explain(step, keyOf(step, user), signal)).map(({ text }) => text);

describe('what is remembered of builds', () => {
  const [one, two, three] = [run('one'), run('two'), run('three')];

  it('is kept of steps that later builds did not get to', async () => {
    const accounts = new Accounts();
    const whole = bookOf(accounts, 'whole', [one, two, three]);
    for (const step of [one, two, three]) whole.enter(step, { key: keyOf(step), outcome: 'done' }, []);
    whole.close([]);
    for (const build of ['failed', 'failed again']) {
      const broken = run(`two ${build}`);
      const book = bookOf(accounts, build, [one, broken, three]);
      await book.explain(broken, keyOf(broken), signal);
      book.enter(one, { key: keyOf(one), outcome: 'cached' }, []);
      book.enter(broken, { key: keyOf(broken), outcome: 'failed' }, []);
      book.close([]);
    }
    const mended = bookOf(accounts, 'mended', [one, two, three]);
    expect(await textsOf(mended, two)).toEqual(['command changed: two failed again → two']);
    expect(await textsOf(mended, three, 'app')).toEqual(['user changed: nothing → app']);
    const { steps, earlier } = JSON.parse(accounts.find('failed again')?.document ?? '') as Record<string, unknown[]>;
    expect([steps?.length, earlier]).toEqual([2, [expect.objectContaining({ title: 'RUN three' })]]);
  });

  it('is no more than a build did that came to its end', async () => {
    const accounts = new Accounts();
    for (const step of [one, two]) {
      const book = bookOf(accounts, step.id, [step]);
      book.enter(step, { key: keyOf(step), outcome: 'done' }, []);
      book.close([]);
    }
    expect(JSON.parse(accounts.find('two')?.document ?? '')).not.toHaveProperty('earlier');
  });

  it('is nothing where it cannot be written, and no reason to fail', () => {
    const accounts = new Accounts();
    accounts.put = () => {
      throw new StoreError('DISK_FULL', 'no space left on device');
    };
    const book = bookOf(accounts, 'b', [one]);
    book.enter(one, { key: keyOf(one), outcome: 'done' }, []);
    expect(() => book.close([])).not.toThrow();
  });
});
