import {
  type CallOptions,
  chainIdOf,
  chainIdOfAll,
  type Digest,
  type HistoryItem,
  type ImageConfig,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { timeOf } from '../plan/epoch-time.ts';
import type { BuiltImage } from './roots.ts';

export interface RelayerOptions extends CallOptions {
  readonly store: Store;
  /** All layers of the build as one. */
  readonly squash: boolean;
  /** Seconds since 1970: times in layers of the build that are later become this. */
  readonly clampTo?: number | undefined;
}

/** The image with other layers over those of its base, which stay as they are. */
export async function relayer(image: BuiltImage, options: RelayerOptions): Promise<BuiltImage> {
  const { clampTo, squash } = options;
  const own = image.config.diffIds.slice(image.baseLayers);
  if (own.length === 0 || (clampTo === undefined && (!squash || own.length === 1))) return image;
  const diffIds = await (squash ? squashed(image, options) : rewritten(image, options));
  const history = squash ? squashedHistory(image) : image.config.history;
  const config = { ...image.config, diffIds, history };
  return { ...image, config: clampTo === undefined ? config : clamped(config, image, clampTo) };
}

/** One layer in place of the build's own. */
async function squashed(
  { config, baseLayers }: BuiltImage,
  { store, signal, clampTo }: RelayerOptions,
): Promise<readonly Digest[]> {
  const base = config.diffIds.slice(0, baseLayers);
  const below = chainIdOfAll(base);
  const top = chainIdOfAll(config.diffIds);
  if (top === undefined) return base;
  await store.unpack(config.diffIds, { signal });
  return [...base, await store.snapshots.restack({ top, below, onto: below, signal, ...clampOf(clampTo) })];
}

/** Each layer anew, with other times. */
async function rewritten(
  { config, baseLayers }: BuiltImage,
  { store, signal, clampTo }: RelayerOptions,
): Promise<readonly Digest[]> {
  await store.unpack(config.diffIds, { signal });
  const diffIds = config.diffIds.slice(0, baseLayers);
  let below = chainIdOfAll(diffIds);
  let onto = below;
  for (const diffId of config.diffIds.slice(baseLayers)) {
    const top = chainIdOf(below, diffId);
    const made = await store.snapshots.restack({ top, below, onto, signal, ...clampOf(clampTo) });
    diffIds.push(made);
    below = top;
    onto = chainIdOf(onto, made);
  }
  return diffIds;
}

function clampOf(clampTo: number | undefined): { readonly clampTo?: number } {
  return clampTo === undefined ? {} : { clampTo };
}

/** The entries of the build's layers remain, without layers, as docker's squash has it; one more has them all. */
function squashedHistory({ config, baseLayers }: BuiltImage): readonly HistoryItem[] {
  let layers = 0;
  const history = config.history.map((item): HistoryItem => {
    if (item.emptyLayer === true) return item;
    layers += 1;
    return layers <= baseLayers ? item : { ...item, emptyLayer: true };
  });
  const { created } = config;
  return [...history, { ...(created === undefined ? {} : { created }), comment: 'merge of the layers of the build' }];
}

/** Also the times in the config, but for those of the base. */
function clamped(config: ImageConfig, image: BuiltImage, seconds: number): ImageConfig {
  const limit = timeOf(seconds);
  const earlier = (time: string): string => (Date.parse(time) > seconds * 1000 ? limit : time);
  const history = config.history.map((item, at) =>
    at < image.baseHistory || item.created === undefined ? item : { ...item, created: earlier(item.created) },
  );
  return { ...config, history, ...(config.created === undefined ? {} : { created: earlier(config.created) }) };
}
