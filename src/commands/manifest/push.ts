import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { copyImage } from '../../build/index.ts';
import { formatReference, parseReference } from '../../oci/index.ts';
import {
  copyProgress,
  digestFileFlag,
  jsonFlag,
  PlaceCommand,
  quietFlag,
  registryFlags,
  writeWholeFile,
} from '../../ui/index.ts';

export default class ManifestPush extends PlaceCommand {
  static override summary = 'Send an index of the store, with all that it lists, to a registry';
  static override ownsFiles = true;
  static override args = {
    list: argument({ required: true, description: 'Name of the index in the store' }),
    destination: argument({ description: 'Where it goes; to the registry of its name unless given' }),
  };
  static override flags = {
    purge: boolean({ char: 'p', description: 'Take its name out of the store afterwards', default: false }),
    quiet: quietFlag,
    'digest-file': digestFileFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  protected override async ownsFiles(): Promise<boolean> {
    return true;
  }

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ManifestPush);
    const name = formatReference(parseReference(args.list));
    const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'push');
    const { descriptor, names } = await this.withPlaces(flags, async (places) => {
      const pushed = await copyImage(`store:${name}`, args.destination ?? name, {
        ...places,
        allowRemote: true,
        referrers: false,
        signal: this.interrupted,
        onEvent: (event) => progress.event(event),
      });
      if (flags.purge) (await places.openStore()).images.untag(name);
      return pushed;
    }).finally(() => progress.end());
    const { mediaType, digest, size } = descriptor;
    if (flags['digest-file'] !== undefined) await writeWholeFile(flags['digest-file'], `${digest}\n`);
    if (flags.json) this.printJson({ name: args.destination ?? args.list, names, mediaType, digest, size });
    else this.print(digest);
  }
}
