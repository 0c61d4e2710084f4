import { string as argument } from '@oclif/core/args';
import { describeBlob, openPlace } from '../../build/index.ts';
import { jsonFlag, PlaceCommand, placesHelp, registryFlags } from '../../ui/index.ts';

export default class BlobHead extends PlaceCommand {
  static override summary = 'Show whether a blob is there, and its size';
  static override description = `${placesHelp} Exit status: 0 it is there, 1 it is not, 2 it could not be found out.`;
  static override asks = true;
  static override args = { blob: argument({ required: true, description: 'NAME@DIGEST' }) };
  static override flags = { json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BlobHead);
    const { digest, size } = await this.withPlaces(flags, async (places) => {
      await using place = await openPlace(args.blob, places);
      return await describeBlob(place, { signal: this.interrupted });
    });
    if (flags.json) this.printJson({ name: args.blob, digest, size });
    else this.print(String(size));
  }
}
