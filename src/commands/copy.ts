import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { copyImage } from '../build/index.ts';
import { formatPlatform, parsePlatform } from '../oci/index.ts';
import { copyProgress, listFlag, quietFlag, registryFlags, StoreCommand } from '../ui/index.ts';

export default class Copy extends StoreCommand {
  static override summary = 'Copy an image from one place to another, byte for byte';
  static override description =
    'Places: docker://NAME for a registry, oci:PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]; a plain NAME is in the store. All platforms are copied unless --platform chooses.';
  static override ownsFiles = true;
  static override args = {
    source: argument({ required: true, description: 'Where it is' }),
    destination: argument({ required: true, description: 'Where it goes' }),
  };
  static override flags = {
    platform: listFlag({ description: 'Copy only this platform; may be repeated', helpValue: 'os/arch[/variant]' }),
    referrers: boolean({ description: 'Copy what refers to the image too (signatures, SBOMs)', default: false }),
    quiet: quietFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Copy);
    const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'push');
    const platforms = flags.platform?.map((text) => parsePlatform(text));
    const open = this.registries(flags);
    const descriptor = await this.withStore(async (store) => {
      try {
        return await copyImage(args.source, args.destination, {
          store,
          open,
          platforms,
          referrers: flags.referrers,
          signal: this.interrupted,
          onEvent: (event) => progress.event(event),
        });
      } finally {
        progress.end();
      }
    }, open);
    if (platforms !== undefined) this.note(`copied for ${platforms.map(formatPlatform).join(', ')}`);
    this.print(descriptor.digest);
  }
}
