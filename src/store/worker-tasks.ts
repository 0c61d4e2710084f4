/** What the store's worker thread does: tree walks with synchronous calls, which would hold up the main thread. */
export type StoreTask =
  | { readonly kind: 'measure'; readonly folders: readonly string[] }
  | { readonly kind: 'delete'; readonly folders: readonly string[]; readonly trash: string }
  /** Also records in the file `stats` what the copy looked like, for the differ, and in `links` what had been hard links. */
  | {
      readonly kind: 'copy';
      readonly from: string | undefined;
      readonly to: string;
      readonly stats: string;
      readonly links: string;
    }
  /** Makes hard links again of what is unchanged since; nothing where there is no file `links`. */
  | { readonly kind: 'relink'; readonly lower: string; readonly tree: string; readonly links: string };

export interface TaskRequest {
  readonly id: number;
  readonly task: StoreTask;
}

export type TaskReply =
  /** `sizes`: bytes, of a `measure`. */
  | { readonly id: number; readonly ok: true; readonly sizes: readonly number[] }
  | {
      readonly id: number;
      readonly ok: false;
      readonly message: string;
      /** Of an error of the operating system, or our own code. */
      readonly errno: string | undefined;
      readonly hint: string | undefined;
      readonly details: readonly string[];
    };
