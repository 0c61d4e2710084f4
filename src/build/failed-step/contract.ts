/** What becomes of a RUN step that fails: nothing is left, its state is kept, or a shell is opened in it. */
export type OnError = 'fail' | 'keep' | 'shell';

/**
 * How a shell in a step is shown. It has this process's standard streams while `open` runs, so whoever draws on them steps aside.
 */
export type OnShell = (open: () => Promise<void>) => Promise<void>;
