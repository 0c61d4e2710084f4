import { string as argument } from '@oclif/core/args';
import { openForRemoval, removeBlob } from '../../build/index.ts';
import { jsonFlag, PlaceCommand, registryFlags } from '../../ui/index.ts';

export default class BlobRm extends PlaceCommand {
  static override summary = 'Delete a blob from a registry, where it lets itself be told so';
  static override args = { blob: argument({ required: true, description: 'NAME@DIGEST' }) };
  static override flags = { json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BlobRm);
    const digest = await this.withPlaces({ ...flags, 'create-repository': false }, async (places) => {
      await using place = await openForRemoval(args.blob, places);
      return await removeBlob(place, { signal: this.interrupted });
    });
    if (flags.json) this.printJson({ name: args.blob, digest });
    else this.print(`Deleted: ${digest}`);
  }
}
