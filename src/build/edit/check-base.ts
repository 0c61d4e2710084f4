import {
  type CallOptions,
  type Digest,
  fetchBytes,
  formatPlatform,
  isAttestation,
  isConfigType,
  isIndexType,
  normalizePlatform,
  parseIndex,
  parseManifest,
  type Platform,
  selectManifest,
  type Descriptor,
  type ImageIndex,
} from '../../oci/index.ts';
import type { PlaceOptions } from '../images/image-place.ts';
import { openPlace } from '../images/open-place.ts';
import { isOn, recordedBase, requireBase } from './base.ts';
import { readEditable } from './edit-root.ts';
import { Bases } from './rebase.ts';

export interface CheckBaseOptions extends PlaceOptions {
  /** In place of what the annotations say. */
  readonly base?: string | undefined;
  readonly platforms?: readonly Platform[] | undefined;
}

/** Whether one image is still on what its base's name stands for now. */
export interface BaseCheck {
  readonly platform: string;
  readonly image: Digest;
  readonly base: string;
  /** As recorded; undefined where only the layers tell. */
  readonly before: Digest | undefined;
  readonly now: Digest;
  readonly current: boolean;
}

/**
 * Compares each image with its base: by the recorded digest, or by its layers where another base is named or no digest is recorded.
 * @throws BuildError IMAGE_INVALID where nothing is recorded and nothing given; what the places throw
 */
export async function checkBase(text: string, options: CheckBaseOptions): Promise<readonly BaseCheck[]> {
  const { signal } = options;
  await using place = await openPlace(text, { ...options, allowRemote: true });
  await using bases = new Bases(options);
  const root = await place.resolve({ signal });
  const { entries, index } = await imagesOf(place.target, root, options);
  const checks: BaseCheck[] = [];
  for (const entry of entries) {
    const manifest = parseManifest(await fetchBytes(place.target, entry, { signal }), entry.mediaType);
    // an index can hold artifacts beside its images
    if (index !== undefined && !isConfigType(manifest.config.mediaType)) continue;
    const image = await readEditable(place.target, manifest, entry.digest, { signal });
    const platform = normalizePlatform(entry.platform ?? image.config.platform);
    const recorded = recordedBase(manifest, index);
    const name = options.base ?? requireBase(recorded, entry.digest).name;
    const base = await bases.read(name, platform);
    const before = options.base === undefined || options.base === recorded?.name ? recorded?.digest : undefined;
    const current =
      before === undefined ? isOn(image, base) : before === base.root.digest || before === base.descriptor.digest;
    const now = before !== undefined && current ? before : base.descriptor.digest;
    checks.push({ platform: formatPlatform(platform), image: entry.digest, base: name, before, now, current });
  }
  return checks;
}

async function imagesOf(
  target: Parameters<typeof fetchBytes>[0],
  root: Descriptor,
  { platforms = [], signal }: CallOptions & { readonly platforms?: readonly Platform[] | undefined },
): Promise<{ readonly entries: readonly Descriptor[]; readonly index?: ImageIndex }> {
  if (!isIndexType(root.mediaType)) return { entries: [root] };
  const index = parseIndex(await fetchBytes(target, root, { signal }), root.mediaType);
  const images = index.manifests.filter((each) => !isAttestation(each) && !isIndexType(each.mediaType));
  const entries = platforms.length === 0 ? images : platforms.map((platform) => selectManifest(index, platform));
  return { entries, index };
}
