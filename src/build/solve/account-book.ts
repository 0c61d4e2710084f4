import type { Step, StepId } from '../../dockerfile/index.ts';
import { isSlipwayError } from '../../errors.ts';
import { chainIdOfAll, type Digest } from '../../oci/index.ts';
import type { BuildAccounts } from '../../store/index.ts';
import type { CacheKey, KeyParts } from './cache-key.ts';
import type { MissReason } from '../events.ts';
import { type Account, lastAccount, type StepAccount } from './account.ts';
import { counterpart, explainMiss, isContent, purposeOf } from './explain.ts';
import type { ChangingStep } from './keys.ts';

export interface AccountBookOptions {
  readonly accounts: BuildAccounts;
  readonly build: string;
  readonly project: string;
  readonly dockerfile: string;
  /** Which files differ between two content digests; nothing where that is not known. */
  compare(before: string, after: string, signal: AbortSignal): Promise<readonly MissReason[]>;
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
  async explain(step: ChangingStep, { parts }: CacheKey, signal: AbortSignal): Promise<readonly MissReason[]> {
    const before = this.#lastSteps();
    const { kind, stage } = step;
    const place = this.#placeOf(step);
    const was = counterpart({ kind, stage, parts }, { before, place })?.parts ?? {};
    const files = new Map<string, readonly MissReason[]>();
    for (const part of Object.keys(parts).filter(isContent)) {
      const [old, now] = [was[part], parts[part]];
      if (old !== undefined && now !== undefined && old !== now)
        files.set(part, await this.#options.compare(old, now, signal));
    }
    const input = step.input === undefined ? undefined : this.#steps.get(step.input);
    const image = input?.kind === 'image' ? this.#accounts.get(input.id)?.parts : undefined;
    const parent = input === undefined ? undefined : { title: input.title, image };
    return explainMiss({ kind, stage, parts, parent }, { before, place, files });
  }

  image(step: Step & { kind: 'image' }, diffIds: readonly Digest[], digest: string): void {
    this.#put(step, { outcome: 'image', parts: { name: step.name, digest }, result: chainIdOfAll(diffIds) });
  }

  enter(step: ChangingStep, { key, ...outcome }: StepOutcome, diffIds: readonly Digest[]): void {
    this.#put(step, { ...outcome, parts: key.parts, result: chainIdOfAll(diffIds) });
  }

  /** Writes it down; `images` are the ids of what came of it. Where that cannot be (a full disk), there is no account. */
  close(images: readonly Digest[]): void {
    try {
      this.#write(images);
    } catch (error) {
      if (!isSlipwayError(error)) throw error;
    }
  }

  #write(images: readonly Digest[]): void {
    const { accounts, build, project, dockerfile } = this.#options;
    const steps = Array.from(this.#steps.keys(), (id) => this.#accounts.get(id)).filter((step) => step !== undefined);
    const account: Account = { version: 1, build, time: this.#time, dockerfile, steps, earlier: this.#notReached() };
    accounts.put({ build, project, images, document: JSON.stringify(account) });
  }

  /** What is known of them: steps that this build got to have their own accounts. */
  #lastSteps(): readonly StepAccount[] {
    if (this.#before !== undefined) return this.#before;
    const last = lastAccount(this.#options.accounts, this.#options.project);
    return (this.#before = last === undefined ? [] : [...last.steps, ...(last.earlier ?? [])]);
  }

  /**
   * Of each stage and kind with steps that were not reached, as many of the last build's as those are, the ones that stand for no
   * step that was reached.
   */
  #notReached(): readonly StepAccount[] | undefined {
    if (this.#accounts.size === this.#steps.size) return undefined;
    const missing = new Map<string, number>();
    for (const step of this.#steps.values())
      if (!this.#accounts.has(step.id)) missing.set(groupOf(step), (missing.get(groupOf(step)) ?? 0) + 1);
    const reached = new Set(Array.from(this.#accounts.values(), purposeIn));
    const open = this.#lastSteps().filter((step) => missing.has(groupOf(step)) && !reached.has(purposeIn(step)));
    return [...missing].flatMap(([group, count]) => open.filter((step) => groupOf(step) === group).slice(-count));
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

function groupOf({ kind, stage }: Pick<StepAccount, 'kind' | 'stage'>): string {
  return JSON.stringify([kind, stage]);
}

function purposeIn(step: StepAccount): string {
  return JSON.stringify([groupOf(step), purposeOf(step.parts)]);
}
