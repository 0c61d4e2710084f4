/** What is changed in the tar of one layer. Headers come out in our canonical form, content as it was. */
export interface LayerChanges {
  /** Paths that are left out, with all below them. */
  readonly strip?: readonly string[] | undefined;
  /** Modification times, seconds since 1970. */
  readonly times?: TimeChange | undefined;
}

/** Gives times another value. */
export interface TimeChange {
  /** Seconds since 1970. */
  readonly set: number;
  /** Only times later than this; all unless given. */
  readonly after?: number | undefined;
}

/** Layers as files, lowest first, and what is made of them: one with changes, or all of them as one. */
export type Rewriting =
  | { readonly kind: 'change'; readonly layer: string; readonly changes: LayerChanges }
  | { readonly kind: 'flatten'; readonly layers: readonly string[] };
