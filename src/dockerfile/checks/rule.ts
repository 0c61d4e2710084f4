/** A rule that Dockerfiles are checked against. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  /** The page that explains it; a rule of ours has `docs/checks/NAME.md`. */
  readonly url?: string;
  /** Whether it is asked only where `experimental=` names it. */
  readonly experimental?: boolean;
}
