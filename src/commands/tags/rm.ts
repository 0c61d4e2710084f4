import { string as argument } from '@oclif/core/args';
import { openForRemoval, removeTag } from '../../build/index.ts';
import { escapeControls, jsonFlag, PlaceCommand, placesHelp, registryFlags } from '../../ui/index.ts';

export default class TagsRm extends PlaceCommand {
  static override summary = 'Take tags away; other tags of the same image stay';
  static override description =
    `${placesHelp} Where a registry cannot delete a tag, another manifest is put under it and that is deleted.`;
  static override args = {
    tags: argument({ required: true, multiple: true, description: 'NAME:TAG' }),
  };
  static override flags = { json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(TagsRm);
    const failures: unknown[] = [];
    const removed: string[] = [];
    await this.withPlaces({ ...flags, 'create-repository': false }, async (places) => {
      for (const tag of args.tags) {
        try {
          await using place = await openForRemoval(tag, places);
          await removeTag(place, { signal: this.interrupted });
          removed.push(tag);
        } catch (error) {
          failures.push(error);
        }
      }
    });
    if (flags.json) this.printJson({ untagged: removed });
    else for (const tag of removed) this.print(`Untagged: ${escapeControls(tag)}`);
    this.throwAll(failures);
  }
}
