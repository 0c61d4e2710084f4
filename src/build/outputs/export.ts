import { isSlipwayError } from '../../errors.ts';
import {
  type CallOptions,
  type Digest,
  digestOf,
  formatReference,
  type ImageConfig,
  parseReference,
  serializeConfig,
  withDigest,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';
import type { OnBuildEvent } from '../events.ts';
import type { OpenRepository } from '../images/resolve.ts';
import type { Lane } from '../workshop/lane.ts';
import type { BuildRequest } from '../request.ts';
import type { Workshop } from '../workshop/workshop.ts';
import { askedOutputs } from './asked-outputs.ts';
import type { CompressAhead } from './compress-ahead.ts';
import { titleOf } from './check-outputs.ts';
import { type BuildMetadata, imageMetadata, rootMetadata } from './metadata.ts';
import {
  type ArchiveOutput,
  type BuildOutput,
  type ImageOutput,
  isImageOutput,
  type OutputForm,
  plainForm,
} from './output.ts';
import { pushRoot } from './push.ts';
import { relayer } from './relayer.ts';
import { type BuiltImage, type Root, Roots } from './roots.ts';
import { writeTrees } from './tree.ts';

export interface ExportOptions extends CallOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  readonly request: Pick<BuildRequest, 'outputs' | 'push' | 'tags' | 'annotations' | 'squash'>;
  readonly workshop: Workshop;
  readonly lane: Lane;
  /** Layers that are being compressed already: waited for before any is asked for. */
  readonly ahead?: CompressAhead | undefined;
  /** An index even for one platform. */
  readonly asIndex: boolean;
  /** SOURCE_DATE_EPOCH, seconds since 1970. */
  readonly epoch?: number | undefined;
}

export interface Exported {
  /** The config's digest, docker's image id; the index's where there are several platforms. */
  readonly imageId: Digest;
  /** The image of each platform. */
  readonly ids: readonly Digest[];
  /** In the store. */
  readonly names: readonly string[];
  /** False where only trees were written. */
  readonly hasImage: boolean;
  readonly metadata: BuildMetadata;
}

/** Registers what was built in the store under its names and sends it to every output, one after the other. */
export async function exportBuild(built: readonly BuiltImage[], options: ExportOptions): Promise<Exported> {
  noteLostTimes(options);
  const { store, request, epoch, signal } = options;
  if (request.squash !== true) return new Exporter(built, options).run();
  const squashed: BuiltImage[] = [];
  for (const image of built) squashed.push(await relayer(image, { store, squash: true, clampTo: epoch, signal }));
  return new Exporter(squashed, options).run();
}

function noteLostTimes({ request, epoch, onEvent }: ExportOptions): void {
  const asked = request.outputs.some(
    (output) => 'form' in output && output.form.rewriteTimestamp && output.form.epoch === undefined,
  );
  if (!asked || epoch !== undefined) return;
  const message = 'rewrite-timestamp=true changes nothing without SOURCE_DATE_EPOCH';
  onEvent({ type: 'note', level: 'warning', message });
}

class Exporter {
  readonly #built: readonly BuiltImage[];
  readonly #options: ExportOptions;
  readonly #outputs: readonly BuildOutput[];
  readonly #roots: Roots;
  #ids: readonly Digest[] = [];
  /** Images that the store had before. */
  readonly #known = new Set<Digest>();
  #metadata: BuildMetadata = {};

  constructor(built: readonly BuiltImage[], options: ExportOptions) {
    this.#built = built;
    this.#options = options;
    const { store, signal, asIndex, epoch } = options;
    this.#outputs = askedOutputs(options.request);
    this.#roots = new Roots(built, { store, signal, asIndex, epoch });
  }

  async run(): Promise<Exported> {
    const names = this.#storedNames();
    for (const { config } of this.#built) this.#note(config);
    const ids = await this.#step('export', 'exporting to image', () => this.#register(names));
    this.#ids = ids;
    for (const [at, output] of this.#outputs.entries()) {
      await this.#step(`export ${at}`, `exporting to ${titleOf(output)}`, () => this.#named(output));
    }
    const isKept = names.length > 0 || this.#outputs.length === 0 || this.#outputs.some(keeps);
    await this.#forget(isKept ? ids : []);
    const hasImage = isKept || this.#outputs.some((output) => 'form' in output);
    return { imageId: await this.#imageId(ids, { isKept, hasImage }), ids, names, hasImage, metadata: this.#metadata };
  }

  /** Of what is in the store; else of what an output made of it. */
  async #imageId(
    ids: readonly Digest[],
    { isKept, hasImage }: { readonly isKept: boolean; readonly hasImage: boolean },
  ): Promise<Digest> {
    const [first] = ids;
    if (first === undefined) throw new Error('a build makes at least one image');
    if (!hasImage || (isKept && !this.#roots.isIndex)) return first;
    const { descriptor, images } = await this.#anyRoot();
    return this.#roots.isIndex ? descriptor.digest : (images[0]?.id ?? first);
  }

  #note(config: ImageConfig): void {
    const id = digestOf(serializeConfig(config));
    if (this.#options.store.images.find(id) !== undefined) this.#known.add(id);
  }

  /** Full names that the store is to know the image by. */
  #storedNames(): readonly string[] {
    const images = this.#outputs.filter(isImageOutput);
    if (images.length > 0 && images.every((output) => !output.store)) return [];
    return this.#options.request.tags.map((tag) => formatReference(parseReference(tag)));
  }

  /** A build for one platform is named as it is, and gets its manifest when one is asked for; an index has to be made. */
  async #register(names: readonly string[]): Promise<readonly Digest[]> {
    const { images } = this.#options.store;
    const isResult = names.length > 0 || this.#outputs.length === 0;
    if (!this.#roots.isIndex) {
      const id = await images.create(this.#built[0]?.config ?? missing(), names);
      if (isResult) this.#metadata = imageMetadata(id, names);
      return [id];
    }
    const ids: Digest[] = [];
    for (const { config } of this.#built) ids.push(await images.create(config, []));
    if (!isResult) return ids;
    const root = await this.#anyRoot();
    await this.#tag(root, names);
    this.#tell(root, names);
    return ids;
  }

  /** The root in the form of the first output that has one. */
  #anyRoot(): Promise<Root> {
    const output = this.#outputs.find((each) => 'form' in each);
    const form = output !== undefined && 'form' in output ? output.form : plainForm;
    return this.#root(form, output !== undefined && 'push' in output && output.push);
  }

  async #root(form: OutputForm, allowRemote: boolean): Promise<Root> {
    await this.#options.ahead?.settled();
    return this.#roots.root(form, { allowRemote });
  }

  async #tag({ descriptor }: Root, names: readonly string[]): Promise<void> {
    const { store, signal } = this.#options;
    for (const name of names) await store.target.tag(descriptor, name, { signal });
  }

  /** With several outputs, an error says which one it is about. */
  async #named(output: BuildOutput): Promise<void> {
    try {
      await this.#export(output);
    } catch (error) {
      if (this.#outputs.length === 1 || !isSlipwayError(error) || this.#options.signal?.aborted === true) throw error;
      const { hint, exitCode, details } = error;
      const message = `output ${titleOf(output)}: ${error.message}`;
      throw new BuildError('OUTPUT_FAILED', message, { cause: error, hint, exitCode, details });
    }
  }

  async #export(output: BuildOutput): Promise<void> {
    switch (output.type) {
      case 'cacheonly':
        return;
      case 'tar':
      case 'local':
        return writeTrees(output, this.#built, this.#options);
      case 'oci':
      case 'docker':
        return this.#archive(output);
      case 'image':
      case 'registry':
        return this.#image(output);
    }
  }

  async #archive(output: ArchiveOutput): Promise<void> {
    const { store, signal } = this.#options;
    const root = await this.#root(output.form, false);
    const names = this.#namesOf(output).map((name) => formatReference(parseReference(name)));
    const { writeArchive } = await import('./archive.ts');
    await writeArchive(output, root, { names, store, signal });
    this.#tell(root, names);
  }

  async #image(output: ImageOutput): Promise<void> {
    const { store, open, signal } = this.#options;
    const names = this.#namesOf(output);
    const full = names.map((name) => formatReference(parseReference(name)));
    if (output.unpack) for (const { config } of this.#built) await store.unpack(config.diffIds, { signal });
    // Without a wish for a form, the names of one platform's image need no manifest yet.
    if (!output.push && !isSpecial(output.form) && !this.#roots.isIndex) {
      if (output.store) await store.images.create(this.#built[0]?.config ?? missing(), full);
      return;
    }
    const root = await this.#root(output.form, output.push);
    if (output.push) await pushRoot(root, names, { store, open, byDigest: output.byDigest, signal });
    // What only a registry was to have under a name of its own is not listed here.
    const isOurs = output.type === 'image' || output.names.length === 0;
    if (output.store && isOurs && !output.byDigest) await this.#tag(root, full);
    const canonical = names.map((name) => formatReference(withDigest(parseReference(name), root.descriptor.digest)));
    const untagged = output.byDigest ? names : full;
    this.#tell(root, output.canonical ? [...untagged, ...canonical] : untagged);
  }

  #namesOf(output: ArchiveOutput | ImageOutput): readonly string[] {
    return output.names.length > 0 ? output.names : this.#options.request.tags;
  }

  #tell(root: Root, names: readonly string[]): void {
    this.#metadata = { ...this.#metadata, ...rootMetadata(root, names) };
  }

  /**
   * An image that only went elsewhere, or that was made in another form for that, does not stay here as a nameless one; its layers
   * stay as cache.
   */
  async #forget(kept: readonly Digest[]): Promise<void> {
    const { images } = this.#options.store;
    const made = (await this.#roots.made()).flatMap((root) => root.images.map(({ id }) => id));
    for (const id of new Set([...this.#ids, ...made])) {
      if (!kept.includes(id) && !this.#known.has(id)) images.removeUnused(id);
    }
  }

  async #step<T>(id: string, title: string, work: () => Promise<T>): Promise<T> {
    const { onEvent } = this.#options;
    onEvent({ type: 'step-start', id, title, time: Date.now() });
    try {
      const result = await work();
      onEvent({ type: 'step-done', id, cached: false, time: Date.now() });
      return result;
    } catch (error) {
      onEvent({
        type: 'step-error',
        id,
        message: error instanceof Error ? error.message : String(error),
        time: Date.now(),
      });
      throw error;
    }
  }
}

/** Whether an image of this output stays in the store. */
function keeps(output: BuildOutput): boolean {
  return output.type === 'image' && output.store;
}

/** Whether anything was said of the form. */
function isSpecial(form: OutputForm): boolean {
  return JSON.stringify(form) !== JSON.stringify(plainForm);
}

function missing(): never {
  throw new Error('a build makes at least one image');
}
