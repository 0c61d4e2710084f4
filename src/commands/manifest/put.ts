import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { putManifest } from '../../build/index.ts';
import { maxDocumentSize } from '../../oci/index.ts';
import { jsonFlag, PlaceCommand, placesHelp, readSmallFile, registryFlags } from '../../ui/index.ts';

export default class ManifestPut extends PlaceCommand {
  static override summary = 'Store a manifest or index, byte for byte; what it names must be there';
  static override description = `${placesHelp} With @DIGEST it gets no tag, and must have that digest.`;
  static override args = {
    image: argument({ required: true, description: 'NAME[:TAG|@DIGEST]' }),
    file: argument({ required: true, description: 'The file, or - for standard input' }),
  };
  static override flags = {
    'media-type': string({ description: 'What it is, where it does not say so itself', helpValue: 'TYPE' }),
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ManifestPut);
    const content = await readSmallFile(args.file, maxDocumentSize);
    const { mediaType, digest, size } = await this.withPlaces(flags, (places) =>
      putManifest(args.image, content, { ...places, mediaType: flags['media-type'], signal: this.interrupted }),
    );
    if (flags.json) this.printJson({ name: args.image, mediaType, digest, size });
    else this.print(digest);
  }
}
