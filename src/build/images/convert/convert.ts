import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Descriptor, Target } from '../../../oci/index.ts';
import type { ConvertedImage, ConvertOptions, ImageConversion } from './contract.ts';
import { Conversion } from './conversion.ts';
import { MadeContent } from './made-content.ts';

/**
 * Gives an image, or all of an index, another format or compression. What stays the same keeps its bytes and digest; a
 * layer that is compressed anew is checked against the diffID that its config names.
 * @throws OciError UNSUPPORTED_MEDIA_TYPE for what the format cannot say; BuildError IMAGE_INVALID for layers that are not
 * what the config says
 */
export async function convertImage(
  from: Target,
  root: Descriptor,
  wanted: ImageConversion,
  options: ConvertOptions,
): Promise<ConvertedImage> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-convert-'));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const made = new MadeContent(from, folder);
    const converted = await new Conversion(made, wanted, options).convert(root);
    return { target: made, root: converted, isMade: (blob) => made.has(blob), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Whether a conversion asks for anything. */
export function changesImages({ format, compression }: ImageConversion): boolean {
  return format !== undefined || compression !== undefined;
}
