import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { copyImage } from '../build/index.ts';
import { formatPlatform } from '../oci/index.ts';
import {
  copyProgress,
  parsePlatforms,
  PlaceCommand,
  placesHelp,
  platformsFlag,
  quietFlag,
  registryFlags,
} from '../ui/index.ts';

export default class Copy extends PlaceCommand {
  static override summary = 'Copy an image from one place to another, byte for byte';
  static override description = `${placesHelp} All platforms are copied unless --platform chooses.`;
  static override args = {
    source: argument({ required: true, description: 'Where it is' }),
    destination: argument({ required: true, description: 'Where it goes' }),
  };
  static override flags = {
    platform: platformsFlag,
    referrers: boolean({ description: 'Copy what refers to the image too (signatures, SBOMs)', default: false }),
    quiet: quietFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Copy);
    const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'push');
    const platforms = flags.platform && parsePlatforms(flags.platform);
    const descriptor = await this.withPlaces(flags, (places) =>
      copyImage(args.source, args.destination, {
        ...places,
        platforms,
        referrers: flags.referrers,
        signal: this.interrupted,
        onEvent: (event) => progress.event(event),
      }).finally(() => progress.end()),
    );
    if (platforms !== undefined) this.note(`copied for ${platforms.map(formatPlatform).join(', ')}`);
    this.print(descriptor.digest);
  }
}
