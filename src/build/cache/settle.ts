import { isSlipwayError, messageOf } from '../../errors.ts';
import {
  type CallOptions,
  chainIdOf,
  type Descriptor,
  type Digest,
  formatReference,
  type ImageConfig,
  parseReference,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import type { OpenRepository } from '../images/resolve.ts';
import { askedOutputs } from '../outputs/asked-outputs.ts';
import { type BuildOutput, type ImageOutput, isImageOutput } from '../outputs/output.ts';
import type { BuildRequest } from '../request.ts';
import type { BuildCache, LayerLoss, ReliedLayer } from './build-cache.ts';
import { registryOf } from '../images/mount-origins.ts';
import { openLayerSource } from './layer-source.ts';

export interface SettleOptions extends CallOptions {
  readonly store: Store;
  readonly cache: BuildCache;
  readonly request: Pick<BuildRequest, 'outputs' | 'push' | 'tags' | 'annotations' | 'squash'>;
  readonly open: OpenRepository;
}

/**
 * Makes sure of the layers that results have from imported caches, before they are given to anybody. A result that is only pushed,
 * to the registry that has them, needs no byte of them here: that they are still there is asked. Any other gets them, verified
 * against the result's diffIDs. Looks as well whether those of this store are still there. Returns the layers that are not to be had, or are not what was said.
 */
export async function settleLayers(
  results: readonly { readonly config: Pick<ImageConfig, 'diffIds'> }[],
  options: SettleOptions,
): Promise<readonly LayerLoss[]> {
  const outputs = askedOutputs(options.request);
  if (!isWanted(outputs, options.request)) return [];
  const destinations = pushedTo(outputs, options.request);
  const lost: LayerLoss[] = [];
  for (const { config } of results) {
    lost.push(...goneHere(config.diffIds, options));
    const relied = config.diffIds.flatMap((diffId) => options.cache.relied.get(diffId) ?? []);
    if (relied.length === 0) continue;
    const staysThere = destinations !== undefined && relied.every((layer) => isOfferedBy(layer, destinations));
    lost.push(...(await (staysThere ? missingThere(relied, options) : unusableHere(config.diffIds, options))));
  }
  return lost;
}

/** Layers of cached steps that somebody deleted from the store without telling it. */
function goneHere(diffIds: readonly Digest[], { store, cache }: SettleOptions): readonly LayerLoss[] {
  const cached = new Set(Array.from(cache.used.values(), ({ diffId }) => diffId));
  const gone = diffIds.filter((diffId) => cached.has(diffId) && !store.hasLayer(diffId));
  return gone.map((diffId) => ({ diffId, why: 'it is no longer in the store' }));
}

/** A build for nobody, as for its cache alone, needs no layers. */
function isWanted(outputs: readonly BuildOutput[], { tags }: SettleOptions['request']): boolean {
  return outputs.length === 0 ? tags.length > 0 : outputs.some(({ type }) => type !== 'cacheonly');
}

/** The registries that the result is pushed to as it is, where that is all that happens to it; else undefined. */
function pushedTo(
  outputs: readonly BuildOutput[],
  { tags, squash }: SettleOptions['request'],
): ReadonlySet<string | undefined> | undefined {
  if (outputs.length === 0 || squash === true) return undefined;
  const names: string[] = [];
  for (const output of outputs) {
    if (output.type === 'cacheonly') continue;
    if (!isImageOutput(output) || !isPushedAsIs(output)) return undefined;
    names.push(...(output.names.length > 0 ? output.names : tags));
  }
  return new Set(names.map((name) => registryOf(formatReference(parseReference(name)))));
}

function isPushedAsIs({ push, unpack, form }: ImageOutput): boolean {
  return push && !unpack && !form.squash && !form.force && !form.rewriteTimestamp;
}

function isOfferedBy({ source, blob }: ReliedLayer, registries: ReadonlySet<string | undefined>): boolean {
  const registry = registryOf(source);
  return blob !== undefined && registry !== undefined && registries.size === 1 && registries.has(registry);
}

async function missingThere(
  layers: readonly ReliedLayer[],
  { store, open, signal }: SettleOptions,
): Promise<readonly LayerLoss[]> {
  const found = await Promise.all(
    layers.map(async ({ blob, source, diffId }) => {
      const loss: LayerLoss = { diffId, why: 'it is no longer there' };
      if (blob === undefined) return loss;
      if (store.content.state(blob.digest) === 'present') return undefined;
      return (await isThere(source, blob, { open, signal })) ? undefined : loss;
    }),
  );
  signal?.throwIfAborted();
  return found.filter((loss) => loss !== undefined);
}

async function isThere(
  source: string,
  blob: Descriptor,
  { open, signal }: Pick<SettleOptions, 'open' | 'signal'>,
): Promise<boolean> {
  try {
    return await (await openLayerSource(source, open)).exists(blob, { signal });
  } catch {
    return false;
  }
}

/** Failures of this machine: doing a step instead would meet them again. */
const ownFailures = new Set(['DISK_FULL', 'READ_ONLY', 'BUSY', 'CLOSED', 'DAMAGED']);

export function isOwnFailure(error: unknown): boolean {
  return isSlipwayError(error) && ownFailures.has(error.code);
}

async function unusableHere(
  diffIds: readonly Digest[],
  { store, cache, signal }: SettleOptions,
): Promise<readonly LayerLoss[]> {
  try {
    await store.unpack(diffIds, { signal });
    return [];
  } catch (error) {
    signal?.throwIfAborted();
    const first = firstMissing(store, diffIds);
    if (first === undefined || !cache.relied.has(first)) throw error;
    if (isOwnFailure(error)) throw error;
    return [{ diffId: first, why: messageOf(error) }];
  }
}

function firstMissing(store: Store, diffIds: readonly Digest[]): Digest | undefined {
  let chain: Digest | undefined;
  for (const diffId of diffIds) {
    chain = chainIdOf(chain, diffId);
    if (!store.snapshots.has(chain)) return diffId;
  }
  return undefined;
}
