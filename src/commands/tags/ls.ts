import { string as argument } from '@oclif/core/args';
import { listTags, openPlace } from '../../build/index.ts';
import { escapeControls, jsonFlag, PlaceCommand, placesHelp, registryFlags } from '../../ui/index.ts';

export default class TagsLs extends PlaceCommand {
  static override summary = 'List the tags of a repository';
  static override description = `${placesHelp} Exit status: 0 it is there, 1 it is not, 2 it could not be found out.`;
  static override asks = true;
  static override args = { repository: argument({ required: true, description: 'Where it is' }) };
  static override flags = { json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(TagsLs);
    const tags = await this.withPlaces(flags, async (places) => {
      await using place = await openPlace(args.repository, places);
      return await listTags(place, { signal: this.interrupted });
    });
    if (flags.json) return this.printJson({ name: args.repository, tags });
    if (tags.length > 0) this.print(tags.map(escapeControls).join('\n'));
  }
}
