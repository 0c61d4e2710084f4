import { string as argument } from '@oclif/core/args';
import { pullImage } from '../build/index.ts';
import {
  familiarName,
  formatPlatform,
  hostPlatform,
  parsePlatform,
  parseReference,
  targetReference,
} from '../oci/index.ts';
import { copyProgress, platformFlag, quietFlag, registryFlags, StoreCommand } from '../ui/index.ts';

export default class Pull extends StoreCommand {
  static override summary = 'Fetch an image from its registry and unpack it';
  static override ownsFiles = true;
  static override args = { name: argument({ required: true, description: 'NAME[:TAG|@DIGEST]' }) };
  static override flags = { platform: platformFlag, quiet: quietFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Pull);
    const reference = parseReference(args.name, { keepUntagged: true });
    const platform = flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform);
    if (!flags.quiet && reference.tag === undefined && reference.digest === undefined)
      this.print('Using default tag: latest');
    if (!flags.quiet) this.note(`${targetReference(reference)}: Pulling from ${reference.repository}`);
    const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'pull');
    const open = this.registries(flags);
    const pulled = await this.withStore(async (store) => {
      try {
        return await pullImage(args.name, {
          store,
          open,
          platform,
          signal: this.interrupted,
          onEvent: (event) => progress.event(event),
        });
      } finally {
        progress.end();
      }
    }, open);
    if (!flags.quiet) {
      this.print(`Digest: ${pulled.root.digest}`);
      const shown = familiarName(parseReference(pulled.name));
      this.print(`Status: ${pulled.changed ? 'Downloaded newer image' : 'Image is up to date'} for ${shown}`);
      if (flags.platform !== undefined) this.note(`platform ${formatPlatform(platform)}`);
    }
    this.print(pulled.name);
  }
}
