import { findImage, type FoundImage } from '../build/index.ts';
import { parsePlatform } from '../oci/index.ts';
import { platformFlag } from './flags.ts';
import { PlaceCommand } from './place-command.ts';
import { type RegistryValues, registryFlags } from './registry-flags/registry.ts';

/** What the descriptions of these commands say of names. */
export const imageNamesHelp =
  'A name is in the store, as docker has it; docker://NAME is in a registry and is not pulled for this, and oci:PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], dir:FOLDER, docker-daemon:NAME are read where they are.';

export const imageFlags = { platform: platformFlag, ...registryFlags };

export type ImageValues = RegistryValues & { readonly platform?: string | undefined };

/** A command that shows images, of the store or of elsewhere. */
export abstract class ImageCommand extends PlaceCommand {
  /** Nothing is unpacked and no file of an image is read. */
  protected override async ownsFiles(): Promise<boolean> {
    return false;
  }

  /** Finds images for the length of `work`; undefined is what the store does not have. */
  protected withImages<T>(
    flags: ImageValues,
    work: (find: (name: string) => Promise<FoundImage | undefined>) => Promise<T>,
  ): Promise<T> {
    const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
    const { interrupted: signal } = this;
    return this.withPlaces(flags, (places) =>
      work((name) => findImage(name, { ...places, plain: 'store', platform, signal, allowRemote: true })),
    );
  }
}
