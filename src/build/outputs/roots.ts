import {
  type CallOptions,
  describe,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageIndex,
  mediaTypes,
  normalizePlatform,
  type Platform,
  serializeIndex,
} from '../../oci/index.ts';
import type { ImageForm, Store } from '../../store/index.ts';
import { annotationsOn } from './annotations.ts';
import type { OutputForm } from './output.ts';
import { relayer } from './relayer.ts';

/** What a build made for one platform. */
export interface BuiltImage {
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** How many of its layers, from the lowest, are those of an image from outside. */
  readonly baseLayers: number;
  /** How many entries of its history, from the first, are its. */
  readonly baseHistory: number;
}

export interface RootsOptions extends CallOptions {
  readonly store: Store;
  /** An index even for one platform. */
  readonly asIndex: boolean;
  /** Of the build: its layers and its config tell no later time. */
  readonly epoch?: number | undefined;
}

/** What an output sends: a manifest, or the index of several platforms. */
export interface Root {
  readonly descriptor: Descriptor;
  /** Ids of the images that it consists of, by platform. */
  readonly images: readonly {
    readonly platform: Platform;
    readonly id: Digest;
    readonly created: string | undefined;
  }[];
}

/** Makes manifests and indexes of what was built, each form once. */
export class Roots {
  readonly #built: readonly BuiltImage[];
  readonly #options: RootsOptions;
  readonly #made = new Map<string, Promise<Root>>();

  constructor(built: readonly BuiltImage[], options: RootsOptions) {
    this.#built = built;
    this.#options = options;
  }

  get isIndex(): boolean {
    return this.#built.length > 1 || this.#options.asIndex;
  }

  /** What was made so far. */
  made(): Promise<readonly Root[]> {
    return Promise.all(this.#made.values());
  }

  /** @param allowRemote layers of the base may stay where they are: for a registry */
  root(form: OutputForm, { allowRemote }: { readonly allowRemote: boolean }): Promise<Root> {
    const key = JSON.stringify([form, allowRemote]);
    const made = this.#made.get(key) ?? this.#make(form, allowRemote);
    this.#made.set(key, made);
    return made;
  }

  /** The image that is made of a built one for a form: itself, or one with other layers. */
  imageFor(image: BuiltImage, { squash, rewriteTimestamp, epoch }: OutputForm): Promise<BuiltImage> {
    const { store, signal, epoch: own } = this.#options;
    // A build with an epoch has its times already.
    const clampTo = rewriteTimestamp && epoch !== undefined && epoch !== own ? epoch : squash ? own : undefined;
    return relayer(image, { store, signal, squash, clampTo });
  }

  async #make(form: OutputForm, allowRemote: boolean): Promise<Root> {
    const { store, signal } = this.#options;
    const images: { platform: Platform; id: Digest; created: string | undefined; manifest: Descriptor }[] = [];
    for (const built of this.#built) {
      const { config } = await this.imageFor(built, form);
      const id = await store.images.create(config, []);
      const manifest = await store.materialize(id, imageFormOf(form, built.platform), { signal, allowRemote });
      images.push({ platform: config.platform, id, created: config.created, manifest });
    }
    const [only] = images;
    if (only !== undefined && !this.isIndex) {
      const annotations = annotationsOn('manifest-descriptor', form.annotations, only.platform);
      return { descriptor: { ...only.manifest, ...(annotations && { annotations }) }, images };
    }
    return { descriptor: await this.#index(form, images), images };
  }

  async #index(
    form: OutputForm,
    images: readonly { readonly platform: Platform; readonly manifest: Descriptor }[],
  ): Promise<Descriptor> {
    const manifests = images.map(({ platform, manifest }): Descriptor => {
      const annotations = annotationsOn('manifest-descriptor', form.annotations, platform);
      return { ...manifest, platform: normalizePlatform(platform), ...(annotations && { annotations }) };
    });
    const annotations = annotationsOn('index', form.annotations);
    const mediaType = form.mediaTypes === 'docker' ? mediaTypes.dockerIndex : mediaTypes.ociIndex;
    const index: ImageIndex = { kind: 'index', mediaType, manifests, ...(annotations && { annotations }) };
    const content = serializeIndex(index);
    const descriptor = describe(mediaType, content);
    await this.#options.store.target.push(descriptor, content, { signal: this.#options.signal });
    const own = annotationsOn('index-descriptor', form.annotations);
    return { ...descriptor, ...(own && { annotations: own }) };
  }
}

/** The form of one platform's image in the store. */
function imageFormOf(form: OutputForm, platform: Platform): ImageForm {
  const annotations = annotationsOn('manifest', form.annotations, platform);
  return { ...layerFormOf(form), ...(annotations && { annotations }) };
}

/** What of it concerns layers. */
export function layerFormOf(form: OutputForm): ImageForm {
  return {
    mediaTypes: form.mediaTypes ?? 'oci',
    compression: form.compression ?? 'gzip',
    ...(form.level === undefined ? {} : { level: form.level }),
    ...(form.force ? { force: true } : {}),
  };
}
