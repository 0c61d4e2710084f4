import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { openForRemoval, removeManifest } from '../../build/index.ts';
import { jsonFlag, PlaceCommand, registryFlags } from '../../ui/index.ts';

export default class ManifestRm extends PlaceCommand {
  static override summary = 'Delete a manifest or index from a registry; refused where other tags stand for it';
  static override description =
    'For a list that `manifest create` made in the store, say store:NAME: its name is taken away.';
  static override args = { image: argument({ required: true, description: 'NAME:TAG or NAME@DIGEST' }) };
  static override flags = {
    force: boolean({ char: 'f', description: 'Delete it with all its tags', default: false }),
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ManifestRm);
    const digest = await this.withPlaces({ ...flags, 'create-repository': false }, async (places) => {
      await using place = await openForRemoval(args.image, places);
      return await removeManifest(place, { force: flags.force, signal: this.interrupted });
    });
    if (flags.json) this.printJson({ name: args.image, digest });
    else this.print(`Deleted: ${digest}`);
  }
}
