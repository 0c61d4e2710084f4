import type { Compression, Platform } from '../../oci/index.ts';

/** `-o`: where the result goes beside the store. A destination `-` is standard output, for what is one file. */
export type BuildOutput = ArchiveOutput | TreeOutput | ImageOutput | { readonly type: 'cacheonly' };

/** One archive, or layout folder, of the image or of the index of all platforms. */
export interface ArchiveOutput {
  readonly type: 'oci' | 'docker';
  readonly destination: string;
  /** A layout folder instead of an archive. */
  readonly asFolder: boolean;
  /** Names in the archive; the build's own where there are none. */
  readonly names: readonly string[];
  readonly form: OutputForm;
}

/** The merged tree, as an archive or as files. */
export interface TreeOutput {
  readonly type: 'tar' | 'local';
  readonly destination: string;
  /** A folder for each platform; undefined: where there are several. */
  readonly platformSplit?: boolean | undefined;
  /** What happens to files that are at the destination already and not in the tree. */
  readonly mode: 'copy' | 'delete';
}

/** The image as it is in the store, or in a registry. */
export interface ImageOutput {
  readonly type: 'image' | 'registry';
  /** As written: a name may have no tag. The build's own where there are none. */
  readonly names: readonly string[];
  readonly push: boolean;
  /** Pushed without a tag. */
  readonly byDigest: boolean;
  /** `name@digest` is told too. */
  readonly canonical: boolean;
  /** Whether the store keeps it under its names. */
  readonly store: boolean;
  readonly unpack: boolean;
  readonly form: OutputForm;
}

/** Whether an output is in the store or a registry, under names. */
export function isImageOutput(output: BuildOutput): output is ImageOutput {
  return output.type === 'image' || output.type === 'registry';
}

/** What is made of the image for an output. */
export interface OutputForm {
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  readonly mediaTypes?: 'oci' | 'docker' | undefined;
  /** Also layers of the base are compressed anew. */
  readonly force: boolean;
  /** Times in layers of the build become SOURCE_DATE_EPOCH where they are later. */
  readonly rewriteTimestamp: boolean;
  /** Seconds since 1970, in place of the build's own SOURCE_DATE_EPOCH. */
  readonly epoch?: number | undefined;
  /** All layers of the build become one. */
  readonly squash: boolean;
  readonly annotations: readonly Annotation[];
}

export const plainForm: OutputForm = { force: false, rewriteTimestamp: false, squash: false, annotations: [] };

/** A remark in a manifest or index, or in the descriptor that names it. */
export interface Annotation {
  readonly on: AnnotationPlace;
  /** Only for this platform's manifest. */
  readonly platform?: Platform | undefined;
  readonly key: string;
  readonly value: string;
}

export const annotationPlaces = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const;
/** What an annotation is written on; `index-descriptor` is the entry of a layout's index.json. */
export type AnnotationPlace = (typeof annotationPlaces)[number];
