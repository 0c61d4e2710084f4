import {
  type Descriptor,
  formatPlatform,
  type ImageIndex,
  type Manifest,
  mediaTypes,
  normalizePlatform,
  type Platform,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import { annotationsOn, parseAnnotation } from '../outputs/annotations.ts';
import type { Annotation, AnnotationPlace } from '../outputs/output.ts';
import type { RootEdit } from './edit.ts';

/** Where annotations without a place go: into the manifest of each image, or on whatever the name stands for. */
export type DefaultPlace = 'manifest' | 'root';

export interface AnnotationChanges {
  readonly set: readonly Annotation[];
  readonly remove: readonly Pick<Annotation, 'on' | 'platform' | 'key'>[];
}

/**
 * Reads `[PLACE[PLATFORM],…:]KEY=VALUE` and, to remove, `[PLACE[PLATFORM],…:]KEY`.
 * @param place of those that say none
 * @throws BuildError OUTPUT_INVALID
 */
export function annotationChanges(
  set: readonly string[],
  remove: readonly string[],
  place: AnnotationPlace,
): AnnotationChanges {
  return {
    set: set.flatMap((text) => parseAnnotation(text, place)),
    remove: remove.flatMap((text) => parseAnnotation(`${text}=`, place)),
  };
}

/** Sets and removes annotations in manifests, in the index, and in its entries (`manifest-descriptor`). */
export function annotate(changes: AnnotationChanges): RootEdit {
  const stray = [...changes.set, ...changes.remove].find(({ on }) => on === 'index-descriptor');
  if (stray !== undefined) {
    throw new BuildError('UNSUPPORTED', 'nothing in a registry has a descriptor of the index', {
      hint: 'index:KEY=VALUE annotates the index itself',
      exitCode: 125,
    });
  }
  return {
    manifest: (manifest, platform) => {
      const annotations = changed(manifest.annotations, { changes, on: 'manifest', platform });
      return annotations === manifest.annotations ? manifest : withAnnotations(manifest, annotations);
    },
    index: (index) => {
      const manifests = index.manifests.map((entry) => annotatedEntry(entry, changes));
      const annotations = changed(index.annotations, { changes, on: 'index' });
      const same = annotations === index.annotations;
      return same ? { ...index, manifests } : withAnnotations({ ...index, manifests }, annotations);
    },
  };
}

function annotatedEntry(entry: Descriptor, changes: AnnotationChanges): Descriptor {
  const annotations = changed(entry.annotations, { changes, on: 'manifest-descriptor', platform: entry.platform });
  if (annotations === entry.annotations) return entry;
  const { annotations: _, ...bare } = entry;
  return annotations === undefined ? bare : { ...bare, annotations };
}

type Annotations = Readonly<Record<string, string>>;

interface Spot {
  readonly changes: AnnotationChanges;
  readonly on: AnnotationPlace;
  readonly platform?: Platform | undefined;
}

/** The same object where nothing changes. */
function changed(before: Annotations | undefined, { changes, on, platform }: Spot): Annotations | undefined {
  const set = annotationsOn(on, changes.set, platform);
  const removed = changes.remove.filter((each) => each.on === on && isFor(each.platform, platform));
  if (set === undefined && removed.length === 0) return before;
  const after: Record<string, string> = { ...before, ...set };
  for (const { key } of removed) delete after[key];
  return Object.keys(after).length === 0 ? undefined : after;
}

function isFor(wanted: Platform | undefined, platform: Platform | undefined): boolean {
  if (wanted === undefined) return true;
  return platform !== undefined && formatPlatform(wanted) === formatPlatform(normalizePlatform(platform));
}

/**
 * A manifest or index with other annotations; docker's forms have none.
 * @throws BuildError UNSUPPORTED
 */
export function withAnnotations<Document extends Manifest | ImageIndex>(
  document: Document,
  annotations: Annotations | undefined,
): Document {
  const { annotations: _, ...bare } = document;
  if (annotations === undefined) return bare as Document;
  if (document.mediaType === mediaTypes.dockerManifest || document.mediaType === mediaTypes.dockerIndex) {
    throw new BuildError('UNSUPPORTED', "docker's manifests have no annotations", {
      hint: '`slipway mutate --to-oci` makes an OCI image of it',
    });
  }
  return { ...bare, annotations } as unknown as Document;
}
