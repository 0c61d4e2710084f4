import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { importRootfs } from '../build/index.ts';
import { formatReference, hostPlatform, parsePlatform, parseReference } from '../oci/index.ts';
import { listFlag, platformFlag, StoreCommand } from '../ui/index.ts';

export default class Import extends StoreCommand {
  static override summary = 'Make an image of one layer from a tar of a root file system';
  static override ownsFiles = true;
  static override args = {
    source: argument({ required: true, description: 'A tar, plain or compressed; - for standard input' }),
    name: argument({ description: 'REPOSITORY[:TAG]' }),
  };
  static override flags = {
    change: listFlag({
      char: 'c',
      description: 'Apply a Dockerfile instruction to the config (CMD, ENV, LABEL, …)',
      helpValue: 'INSTRUCTION',
    }),
    message: string({ char: 'm', description: 'Comment for the history', default: 'Imported from -' }),
    platform: platformFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Import);
    const names = args.name === undefined ? [] : [formatReference(parseReference(args.name))];
    const platform = flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform);
    const imageId = await this.withStore((store) =>
      importRootfs(args.source === '-' ? process.stdin : args.source, {
        store,
        names,
        platform,
        changes: flags.change ?? [],
        message: flags.message,
        signal: this.interrupted,
      }),
    );
    this.print(imageId);
  }
}
