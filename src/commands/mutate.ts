import { string as argument } from '@oclif/core/args';
import { editImage } from '../build/index.ts';
import { EditCommand, editFlags, mutateFlags, mutation, placesHelp } from '../ui/index.ts';

export default class Mutate extends EditCommand {
  static override summary = 'Change the config, the annotations or the layers of an image, without building it again';
  static override description =
    `${placesHelp} Layers that do not change are neither read nor sent. Of an index each image is changed. With SOURCE_DATE_EPOCH that is the time of the image.`;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = {
    ...mutateFlags,
    ...editFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Mutate);
    const edit = mutation(flags);
    await this.edit(flags, (options) =>
      editImage(args.image, (bench) => edit(bench, { stdin: process.stdin, signal: this.interrupted }), options),
    );
  }
}
