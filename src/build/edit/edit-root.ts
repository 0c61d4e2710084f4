import {
  attestedDigest,
  type CallOptions,
  type Descriptor,
  type Digest,
  fetchBytes,
  formatPlatform,
  type ImageIndex,
  isAttestation,
  isConfigType,
  isIndexType,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Platform,
  selectManifest,
  serializeConfig,
  serializeIndex,
  serializeManifest,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { EditableImage, EditContext, RootEdit } from './edit.ts';
import type { Workbench } from './workbench.ts';

export interface EditRootOptions extends CallOptions {
  /** Of an index, only the images for these; the others stay in it as they are. All unless given. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly onWarning: (message: string) => void;
}

/** An index in an index is an image again; more is an attack or a mistake. */
const maxDepth = 3;

/**
 * Edits the manifest or index `root` on the bench: of an index each image, and then the index. Documents that come out the same keep
 * their bytes. BuildKit's attestations of an image that became another are left out, with a warning.
 * @returns the new root, which is on the bench
 * @throws BuildError IMAGE_INVALID, OciError NO_MATCHING_PLATFORM
 */
export async function editRoot(
  bench: Workbench,
  root: Descriptor,
  edit: RootEdit,
  options: EditRootOptions,
): Promise<Descriptor> {
  const { descriptor } = await new RootWalk(bench, edit, options).edit(root, { depth: 0, index: undefined });
  return descriptor;
}

interface Edited {
  readonly descriptor: Descriptor;
  /** Where the edit changed it. */
  readonly platform?: Platform;
}

interface Position {
  readonly depth: number;
  readonly index: ImageIndex | undefined;
}

class RootWalk {
  readonly #bench: Workbench;
  readonly #edit: RootEdit;
  readonly #options: EditRootOptions;
  readonly #done = new Map<Digest, Promise<Edited>>();

  constructor(bench: Workbench, edit: RootEdit, options: EditRootOptions) {
    this.#bench = bench;
    this.#edit = edit;
    this.#options = options;
  }

  edit(entry: Descriptor, position: Position): Promise<Edited> {
    const known = this.#done.get(entry.digest);
    if (known !== undefined) return known;
    const edited = isIndexType(entry.mediaType)
      ? this.#editIndex(entry, position.depth + 1)
      : this.#editManifest(entry, position);
    this.#done.set(entry.digest, edited);
    return edited;
  }

  async #editIndex(entry: Descriptor, depth: number): Promise<Edited> {
    if (depth > maxDepth)
      throw new BuildError('IMAGE_INVALID', `${entry.digest}: indexes are nested more than ${maxDepth} deep`);
    const { signal } = this.#options;
    const index = parseIndex(await fetchBytes(this.#bench, entry, { signal }), entry.mediaType);
    const chosen = this.#chosen(index);
    const manifests: Descriptor[] = [];
    const changed = new Set<string>();
    for (const child of index.manifests) {
      const edited = chosen.has(child) ? await this.edit(child, { depth, index }) : { descriptor: child };
      if (edited.descriptor.digest !== child.digest) changed.add(child.digest);
      manifests.push(entryOf(child, edited));
    }
    const kept = manifests.filter((each) => !this.#isOutdated(each, changed));
    const after = this.#edit.index?.({ ...index, manifests: kept }) ?? { ...index, manifests: kept };
    const content = serializeIndex(after);
    if (content.equals(serializeIndex(index))) return { descriptor: entry };
    return { descriptor: this.#bench.add(after.mediaType, content) };
  }

  #chosen(index: ImageIndex): ReadonlySet<Descriptor> {
    const { platforms = [] } = this.#options;
    const images = index.manifests.filter((each) => !isAttestation(each));
    return new Set(platforms.length === 0 ? images : platforms.map((platform) => selectManifest(index, platform)));
  }

  /** What is attested of an image is said of its digest. */
  #isOutdated(entry: Descriptor, changed: ReadonlySet<string>): boolean {
    const about = isAttestation(entry) ? entry.annotations?.[attestedDigest] : undefined;
    if (about === undefined || !changed.has(about)) return false;
    this.#options.onWarning(`the attestations of ${about} are left out: the edited image is another`);
    return true;
  }

  async #editManifest(entry: Descriptor, { index }: Position): Promise<Edited> {
    const { signal, onWarning } = this.#options;
    const before = parseManifest(await fetchBytes(this.#bench, entry, { signal }), entry.mediaType);
    const context = { bench: this.#bench, entry, index, signal, onWarning };
    // an index can hold artifacts beside its images
    const passesOn = this.#edit.image === undefined || (index !== undefined && !isConfigType(before.config.mediaType));
    const edited = passesOn ? { manifest: before } : await this.#editImage(entry, before, context);
    const platform = 'platform' in edited ? edited.platform : undefined;
    const after = this.#edit.manifest?.(edited.manifest, entry.platform) ?? edited.manifest;
    const content = serializeManifest(after);
    if (content.equals(serializeManifest(before))) return { descriptor: entry };
    return { descriptor: this.#bench.add(after.mediaType, content), ...(platform && { platform }) };
  }

  async #editImage(
    { digest }: Descriptor,
    before: EditableImage['manifest'],
    context: EditContext,
  ): Promise<{ readonly manifest: EditableImage['manifest']; readonly platform?: Platform }> {
    const image = await readEditable(this.#bench, before, digest, context);
    const { manifest, config } = (await this.#edit.image?.(image, context)) ?? image;
    const content = serializeConfig(config);
    const platform =
      formatPlatform(config.platform) === formatPlatform(image.config.platform) ? undefined : config.platform;
    const sameType = manifest.config.mediaType === before.config.mediaType;
    if (sameType && content.equals(serializeConfig(image.config))) return { manifest };
    const { data: _, size: __, digest: ___, ...said } = manifest.config;
    return {
      manifest: { ...manifest, config: { ...said, ...this.#bench.add(said.mediaType, content) } },
      ...(platform && { platform }),
    };
  }
}

/**
 * The config of an image, with the manifest that it belongs to.
 * @throws BuildError IMAGE_INVALID for what is no image, or says of its layers what does not fit
 */
export async function readEditable(
  from: Parameters<typeof fetchBytes>[0],
  manifest: EditableImage['manifest'],
  digest: Digest,
  { signal }: CallOptions,
): Promise<EditableImage> {
  const { config, layers } = manifest;
  if (!isConfigType(config.mediaType)) {
    throw new BuildError('IMAGE_INVALID', `${digest} is no image: its config is ${config.mediaType}`);
  }
  const parsed = parseImageConfig(await fetchBytes(from, config, { signal }));
  if (parsed.diffIds.length !== layers.length) {
    throw new BuildError(
      'IMAGE_INVALID',
      `${digest} has ${layers.length} layers, its config ${parsed.diffIds.length} of them`,
    );
  }
  return { manifest, config: parsed };
}

/** The entry of an index for what became of its manifest. */
function entryOf(child: Descriptor, { descriptor, platform }: Edited): Descriptor {
  if (descriptor.digest === child.digest && platform === undefined) return child;
  const { data: _, ...said } = child;
  const { mediaType, digest, size } = descriptor;
  return { ...said, mediaType, digest, size, ...(platform && child.platform && { platform }) };
}
