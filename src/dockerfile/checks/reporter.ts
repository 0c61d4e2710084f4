import { type CheckConfig, isAsked, noCheckConfig, withComments } from './check-config.ts';
import type { FindingDraft } from './finding.ts';

/** Where checks say what they find. */
export interface Reporter {
  /** Tells whether anybody listens; what is costly to find out need not be found out otherwise. */
  readonly listens: boolean;
  readonly report: (draft: FindingDraft) => void;
}

/** For whoever wants the meaning of a file and no opinion. */
export const silent: Reporter = { listens: false, report: () => {} };

/** Keeps what it is told, less what the file or a comment skips. */
export class Findings implements Reporter {
  readonly listens = true;
  readonly drafts: FindingDraft[] = [];
  #config: CheckConfig = noCheckConfig;

  get config(): CheckConfig {
    return this.#config;
  }

  /** Sets what holds for the whole file. */
  configure(config: CheckConfig): void {
    this.#config = config;
  }

  readonly report = (draft: FindingDraft): void => {
    const config = draft.comments === undefined ? this.#config : withComments(this.#config, draft.comments);
    if (isAsked(draft.rule, config)) this.drafts.push(draft);
  };

  /** Names of the rules that have findings, in the order of these. */
  get rules(): string[] {
    return [...new Set(this.drafts.map(({ rule }) => rule.name))];
  }
}
