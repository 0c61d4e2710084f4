import type { Step, StepId } from '../../dockerfile/index.ts';
import { chainIdOfAll, type Digest } from '../../oci/index.ts';
import type { BuildAccounts } from '../../store/index.ts';
import type { CacheKey, KeyParts } from '../cache-key.ts';
import type { MissReason } from '../events.ts';
import { type Account, lastAccount, type StepAccount } from './account.ts';
import { type Explaining, explainMiss } from './explain.ts';
import type { ChangingStep } from './keys.ts';

export interface AccountBookOptions {
  readonly accounts: BuildAccounts;
  readonly build: string;
  readonly project: string;
  readonly dockerfile: string;
  readonly compare?: Explaining['compare'];
}

/** How a step that is no image came out. */
export interface StepOutcome extends Pick<StepAccount, 'outcome' | 'reasons' | 'milliseconds'> {
  readonly key: CacheKey;
}

/** Keeps the account of a build while it runs, and compares it with the last one. */
export class AccountBook {
  readonly #options: AccountBookOptions;
  readonly #steps: ReadonlyMap<StepId, Step>;
  readonly #accounts = new Map<StepId, StepAccount>();
  readonly #time = Date.now();
  #before: readonly StepAccount[] | undefined;

  constructor(steps: readonly Step[], options: AccountBookOptions) {
    this.#options = options;
    this.#steps = new Map(steps.map((step) => [step.id, step]));
  }

  /** Why a step is to be done; looks at what the last build wrote down, once. */
  explain(step: ChangingStep, key: CacheKey): readonly MissReason[] {
    const { accounts, project, compare } = this.#options;
    this.#before ??= lastAccount(accounts, project)?.steps ?? [];
    const input = step.input === undefined ? undefined : this.#steps.get(step.input);
    const image = input?.kind === 'image' ? this.#accounts.get(input.id)?.parts : undefined;
    return explainMiss(
      {
        kind: step.kind,
        stage: step.stage,
        parts: key.parts,
        ...(input === undefined ? {} : { parent: { title: input.title, image } }),
      },
      { before: this.#before, place: this.#placeOf(step), compare },
    );
  }

  image(step: Step & { kind: 'image' }, diffIds: readonly Digest[], digest: string): void {
    this.#put(step, { outcome: 'image', parts: { name: step.name, digest }, result: chainIdOfAll(diffIds) });
  }

  enter(step: ChangingStep, { key, ...outcome }: StepOutcome, diffIds: readonly Digest[]): void {
    this.#put(step, { ...outcome, parts: key.parts, result: chainIdOfAll(diffIds) });
  }

  /** Writes it down; `images` are the ids of what came of it. */
  close(images: readonly Digest[]): void {
    const { accounts, build, project, dockerfile } = this.#options;
    const steps = Array.from(this.#steps.keys(), (id) => this.#accounts.get(id)).filter((step) => step !== undefined);
    const account: Account = { version: 1, build, time: this.#time, dockerfile, steps };
    accounts.put({ build, project, images, document: JSON.stringify(account) });
  }

  #put(step: Step, rest: Omit<StepAccount, 'title' | 'kind' | 'stage' | 'line'> & { readonly parts: KeyParts }): void {
    const { title, kind, stage, location } = step;
    this.#accounts.set(step.id, { title, kind, stage, line: location?.start, ...rest });
  }

  /** How many steps of its kind come before it in its stage. */
  #placeOf(step: Step): number {
    const alike = [...this.#steps.values()].filter(({ kind, stage }) => kind === step.kind && stage === step.stage);
    return alike.indexOf(step);
  }
}
