import { string as argument } from '@oclif/core/args';
import { putBlob } from '../../build/index.ts';
import { copyProgress, jsonFlag, PlaceCommand, placesHelp, quietFlag, registryFlags } from '../../ui/index.ts';

export default class BlobPut extends PlaceCommand {
  static override summary = 'Store a file as a blob; one that is there is not sent again';
  static override description = `${placesHelp} With @DIGEST the file must have that digest.`;
  static override args = {
    repository: argument({ required: true, description: 'NAME[@DIGEST]' }),
    file: argument({ required: true, description: 'The file, or - for standard input' }),
  };
  static override flags = { quiet: quietFlag, json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BlobPut);
    const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'push');
    const { digest, size } = await this.withPlaces(flags, (places) =>
      putBlob(args.repository, args.file === '-' ? process.stdin : args.file, {
        ...places,
        signal: this.interrupted,
        onEvent: (event) => progress.event(event),
      }),
    ).finally(() => progress.end());
    if (flags.json) this.printJson({ name: args.repository, digest, size });
    else this.print(digest);
  }
}
