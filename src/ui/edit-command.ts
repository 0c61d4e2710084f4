import type { EditedImage, EditImageOptions } from '../build/index.ts';
import { type DestinationValues, destinationOf } from './edit-flags.ts';
import { PlaceCommand } from './place-command.ts';
import { parsePlatforms } from './platforms.ts';
import { copyProgress } from './progress/copy.ts';
import type { RegistryValues } from './registry-flags/registry.ts';

/** What commands that edit images have in common. */
export interface EditValues extends RegistryValues, DestinationValues {
  readonly platform?: readonly string[] | undefined;
  readonly quiet: boolean;
  readonly json: boolean;
}

/** A command that makes another image of an image and says what it is. */
export abstract class EditCommand extends PlaceCommand {
  protected async edit(flags: EditValues, work: (options: EditImageOptions) => Promise<EditedImage>): Promise<void> {
    const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'push');
    const { name, before, descriptor } = await this.withPlaces(flags, (places) =>
      work({
        ...places,
        ...destinationOf(flags),
        platforms: flags.platform && parsePlatforms(flags.platform),
        signal: this.interrupted,
        onWarning: (message) => this.note(`WARNING: ${message}`),
        onEvent: (event) => progress.event(event),
      }),
    ).finally(() => progress.end());
    const { mediaType, digest, size } = descriptor;
    if (flags.json) this.printJson({ name, mediaType, digest, size, before: before?.digest });
    else this.print(flags.quiet ? digest : name);
  }
}
