import { string as argument } from '@oclif/core/args';
import { editImage, flatten } from '../build/index.ts';
import { EditCommand, editFlags, epochOf, placesHelp } from '../ui/index.ts';

export default class Flatten extends EditCommand {
  static override summary = 'Make one layer of all layers of an image';
  static override description =
    `${placesHelp} Deletions are carried out; the history has one entry. Of an index each image is flattened.`;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = {
    ...editFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Flatten);
    await this.edit(flags, (options) => editImage(args.image, { image: flatten({ epoch: epochOf() }) }, options));
  }
}
