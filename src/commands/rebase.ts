import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { Bases, editImage, rebase } from '../build/index.ts';
import { EditCommand, editFlags, placesHelp } from '../ui/index.ts';

export default class Rebase extends EditCommand {
  static override summary = "Put an image's own layers onto another base, without building it again";
  static override description =
    `${placesHelp} Both bases are taken from the annotations org.opencontainers.image.base.name and base.digest unless they are given. An image that is not on the old base is refused. The config stays as it is. Of an index each image is put onto the base for its platform.`;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = {
    'old-base': string({ aliases: ['old_base'], description: 'What it is on now', helpValue: 'PLACE' }),
    'new-base': string({ aliases: ['new_base'], description: 'What it shall be on', helpValue: 'PLACE' }),
    ...editFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Rebase);
    const { 'old-base': oldBase, 'new-base': newBase } = flags;
    await this.edit(flags, async (options) => {
      await using bases = new Bases(options);
      return await editImage(args.image, { image: rebase({ oldBase, newBase }, bases) }, options);
    });
  }
}
