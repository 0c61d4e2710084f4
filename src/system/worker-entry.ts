/** Set by the bundler. */
declare const SLIPWAY_BUNDLED: boolean | undefined;

export type WorkerName = 'layer' | 'store' | 'build' | 'registry';

/**
 * The file that a worker thread of a room starts from: its TypeScript in the source tree, `dist/workers/<name>.js` in the
 * bundle, whose chunks lie at various depths below `dist/`.
 */
export function workerEntry(name: WorkerName): URL {
  if (typeof SLIPWAY_BUNDLED === 'undefined' || !SLIPWAY_BUNDLED)
    return new URL(`../${name}/worker.ts`, import.meta.url);
  const bundle = /^.*\/dist\//.exec(import.meta.url)?.[0] ?? import.meta.url;
  return new URL(`workers/${name}.js`, bundle);
}
