import { type HistoryItem, mediaTypes, normalizePlatform, type Platform } from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace, PlaceOptions } from '../images/image-place.ts';
import { openPlace } from '../images/open-place.ts';
import { withAnnotations } from './annotate.ts';
import {
  type BaseImage,
  baseDigestAnnotation,
  baseNameAnnotation,
  isOn,
  pinnedBase,
  readBase,
  recordedBase,
  requireBase,
} from './base.ts';
import type { EditableImage, EditContext, ImageEdit } from './edit.ts';
import { likeManifest } from './media-types.ts';

export interface RebaseOptions {
  /** What the image is on now; as its annotations say, unless given. */
  readonly oldBase?: string | undefined;
  /** What it shall be on; the recorded name as it is now, unless given. */
  readonly newBase?: string | undefined;
}

/** Opens each base once. */
export class Bases implements AsyncDisposable {
  readonly #options: PlaceOptions;
  readonly #places = new Map<string, Promise<ImagePlace>>();

  constructor(options: PlaceOptions) {
    this.#options = { ...options, allowRemote: true };
  }

  async read(text: string, platform: Platform): Promise<BaseImage & { readonly place: ImagePlace }> {
    const opening = this.#places.get(text) ?? openPlace(text, this.#options);
    this.#places.set(text, opening);
    const place = await opening;
    return { ...(await readBase(place, platform, { signal: this.#options.signal })), place };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of this.#places.values()) await (await place.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}

/**
 * Puts an image's own layers onto another base; its config stays but for what says the layers. The image must be on the old base. No
 * layer is read.
 * @throws BuildError IMAGE_INVALID
 */
export function rebase({ oldBase, newBase }: RebaseOptions, bases: Bases): ImageEdit {
  return async (image, context) => {
    const recorded = recordedBase(image.manifest, context.index);
    const platform = normalizePlatform(context.entry.platform ?? image.config.platform);
    const name = newBase ?? requireBase(recorded, context.entry.digest).name;
    const before = await bases.read(oldBase ?? (await oldName(recorded, context)), platform);
    const after = await bases.read(name, platform);
    if (!isOn(image, before)) throw notOn(context, before.place.text);
    context.bench.lend(after.manifest.layers, {
      target: after.place.target,
      store: after.place.kind === 'store' ? after.place.store : undefined,
    });
    return restacked(image, before, { base: after, name });
  };
}

async function oldName(recorded: ReturnType<typeof recordedBase>, { entry }: EditContext): Promise<string> {
  const name = pinnedBase(requireBase(recorded, entry.digest));
  if (name !== undefined) return name;
  throw new BuildError('IMAGE_INVALID', `${entry.digest} does not say which image it was built on`, {
    hint: `it has no annotation ${baseDigestAnnotation}: name the old base with --old-base`,
  });
}

function restacked(
  image: EditableImage,
  before: EditableImage,
  { base, name }: { readonly base: BaseImage; readonly name: string },
): EditableImage {
  const count = before.config.diffIds.length;
  const { platform, config } = { platform: base.config.platform, config: image.config };
  const layers = [...base.manifest.layers, ...image.manifest.layers.slice(count)];
  const manifest = { ...image.manifest, layers: layers.map((layer) => likeManifest(image.manifest, layer)) };
  return {
    manifest: withBase(manifest, name, base),
    config: {
      ...config,
      platform,
      diffIds: [...base.config.diffIds, ...config.diffIds.slice(count)],
      history: [...base.config.history, ...ownHistory(config.history, before.config.history, count)],
    },
  };
}

/** Entries that are not the base's; where the base's do not begin it, those of the layers above. */
function ownHistory(
  history: readonly HistoryItem[],
  base: readonly HistoryItem[],
  layers: number,
): readonly HistoryItem[] {
  const same = base.every((item, at) => JSON.stringify(item) === JSON.stringify(history[at]));
  if (same) return history.slice(base.length);
  let left = layers;
  const from = history.findIndex((item) => item.emptyLayer !== true && left-- === 0);
  return from < 0 ? [] : history.slice(from);
}

function withBase(manifest: EditableImage['manifest'], name: string, base: BaseImage): EditableImage['manifest'] {
  if (manifest.mediaType === mediaTypes.dockerManifest) return manifest;
  const annotations = {
    ...manifest.annotations,
    [baseNameAnnotation]: name.replace(/^docker:\/\//, ''),
    [baseDigestAnnotation]: base.descriptor.digest,
  };
  return withAnnotations(manifest, annotations);
}

function notOn({ entry }: EditContext, base: string): BuildError {
  return new BuildError('IMAGE_INVALID', `${entry.digest} is not on ${base}: its layers do not begin with that one's`, {
    hint: 'name the base it was really built on with --old-base',
  });
}
