/** What becomes of a RUN step that fails: nothing is left, its state is kept, or a shell is opened in it. */
export type OnError = 'fail' | 'keep' | 'shell';
