import { didYouMean } from '../suggest.ts';
import { type CheckConfig, commentConfig, isAsked, noCheckConfig } from './check-config.ts';
import type { FindingDraft } from './finding.ts';

/** Where checks say what they find. */
export interface Reporter {
  /** Tells whether anybody listens; what is costly to find out need not be found out otherwise. */
  readonly listens: boolean;
  readonly report: (draft: FindingDraft) => void;
  /** As `didYouMean`, for a finding's message; empty once that has taken long. */
  suggest(word: string, options: ReadonlyMap<string, unknown> | ReadonlySet<string>): string;
}

/** For whoever wants the meaning of a file and no opinion. */
export const silent: Reporter = { listens: false, report: () => {}, suggest: () => '' };

/** Findings of one file that are kept: nobody reads more, and each takes some time to place and to mend. */
export const maxFindings = 10_000;

/** Keeps what it is told, less what the file or a comment skips, up to `maxFindings`. */
export class Findings implements Reporter {
  readonly drafts: FindingDraft[] = [];
  #config: CheckConfig = noCheckConfig;
  /** Of comments by their list, which the findings of an instruction share. */
  readonly #comments = new WeakMap<readonly string[], CheckConfig>();
  /** Words that may still be compared. */
  #comparisons = 1_000_000;

  get listens(): boolean {
    return this.drafts.length < maxFindings;
  }

  get config(): CheckConfig {
    return this.#config;
  }

  /** Sets what holds for the whole file. */
  configure(config: CheckConfig): void {
    this.#config = config;
  }

  readonly report = (draft: FindingDraft): void => {
    const config = draft.comments === undefined ? noCheckConfig : this.#configOf(draft.comments);
    if (this.listens && isAsked(draft.rule, [this.#config, config])) this.drafts.push(draft);
  };

  suggest(word: string, options: ReadonlyMap<string, unknown> | ReadonlySet<string>): string {
    this.#comparisons -= options.size;
    return this.#comparisons < 0 ? '' : didYouMean(word, options.keys());
  }

  /** Names of the rules that have findings, in the order of these. */
  get rules(): string[] {
    return [...new Set(this.drafts.map(({ rule }) => rule.name))];
  }

  #configOf(comments: readonly string[]): CheckConfig {
    const found = this.#comments.get(comments) ?? commentConfig(comments);
    this.#comments.set(comments, found);
    return found;
  }
}
