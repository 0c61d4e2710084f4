import type { Readable } from 'node:stream';
import { needKey, needs, parse, toGraph } from '../../dockerfile/index.ts';
import { applyInWorker } from '../../layer/index.ts';
import {
  type CallOptions,
  chainIdOf,
  type Digest,
  hostPlatform,
  type ImageConfig,
  type Platform,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';

/** What the new image is like, beside its files. */
export interface ImportOptions extends CallOptions {
  readonly store: Store;
  /** Full names. */
  readonly names: readonly string[];
  readonly platform: Platform;
  /** Dockerfile instructions that change the config alone. */
  readonly changes: readonly string[];
  readonly message: string;
}

/**
 * Makes an image of one layer from the tar of a root file system: unpacked, and packed again in our own canonical form.
 * @throws LayerError for what is no tar, BuildError UNSUPPORTED for a change that is a step
 */
export async function importRootfs(source: string | Readable, options: ImportOptions): Promise<Digest> {
  const { store, signal } = options;
  const changed = changedConfig(options);
  const active = await store.snapshots.prepare(undefined);
  try {
    await applyInWorker(typeof source === 'string' ? { path: source } : source, active.folder, {
      privileges: store.privileges,
      whiteouts: 'literal',
      signal,
    });
    const draft = await store.snapshots.diff(active, { signal });
    await store.snapshots.commit(active, draft);
    const created = new Date().toISOString();
    const history = [{ created, comment: options.message }];
    return await store.images.create(
      { ...changed, created, diffIds: [chainIdOf(undefined, draft.diffId)], history },
      options.names,
    );
  } catch (error) {
    await store.snapshots.discard(active);
    throw error;
  }
}

/** Lets the Dockerfile language say what the changes mean. */
function changedConfig({ changes, platform }: ImportOptions): ImageConfig {
  const empty: ImageConfig = { platform, config: {}, diffIds: [], history: [] };
  if (changes.length === 0) return empty;
  const ast = parse(['FROM imported', ...changes].join('\n'));
  const inputs = {
    buildArgs: {},
    platform,
    buildPlatform: hostPlatform(),
    labels: {},
    contexts: { imported: 'image' as const },
    hasContext: false,
  };
  const configs = new Map(needs(ast, inputs, new Map()).map((need) => [needKey(need), empty]));
  const graph = toGraph(ast, inputs, configs);
  const step = graph.steps.find((each) => each.kind !== 'image');
  if (step !== undefined)
    throw new BuildError('UNSUPPORTED', `--change cannot do steps: ${step.title}`, { exitCode: 125 });
  return { ...empty, config: graph.image.config };
}
