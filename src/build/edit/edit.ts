import type { CallOptions, Descriptor, ImageConfig, ImageIndex, Manifest, Platform } from '../../oci/index.ts';
import type { Workbench } from './workbench.ts';

/** An image as edits see it. `manifest.layers` and `config.diffIds` belong together, one by one. */
export interface EditableImage {
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** What an edit may want to know beside the image. */
export interface EditContext extends CallOptions {
  readonly bench: Workbench;
  /** The entry of the index that the image is in, or the root. */
  readonly entry: Descriptor;
  /** The index, where there is one. */
  readonly index?: ImageIndex | undefined;
  readonly onWarning: (message: string) => void;
}

/** Makes another image of an image. Content that it makes goes on the bench; what it does not change it passes on. */
export type ImageEdit = (image: EditableImage, context: EditContext) => EditableImage | Promise<EditableImage>;

/** What is done to whatever a name stands for. */
export interface RootEdit {
  /** To each image; manifests that are no images are refused. */
  readonly image?: ImageEdit | undefined;
  /** To each manifest, after that; also of what is no image. */
  readonly manifest?: ((manifest: Manifest, platform: Platform | undefined) => Manifest) | undefined;
  /** To the index. */
  readonly index?: ((index: ImageIndex) => ImageIndex) | undefined;
}

/** One edit after the other. */
export function inOrder(edits: readonly ImageEdit[]): ImageEdit {
  return async (image, context) => {
    let edited = image;
    for (const edit of edits) edited = await edit(edited, context);
    return edited;
  };
}

/** Changes how the image is run and described, and nothing of its layers. */
export function editConfig(change: (config: ImageConfig) => ImageConfig): ImageEdit {
  return ({ manifest, config }) => ({ manifest, config: change(config) });
}
