import { string as argument } from '@oclif/core/args';
import { option } from '@oclif/core/flags';
import {
  compileTemplate,
  formatFlag,
  ImageCommand,
  imageFlags,
  imageNamesHelp,
  inspectImage,
  noSuchImage,
  type Row,
  UiError,
} from '../ui/index.ts';

export default class Inspect extends ImageCommand {
  static override summary = 'Show everything about images, of the store or of elsewhere without pulling them';
  static override description = imageNamesHelp;
  static override args = { names: argument({ required: true, multiple: true, description: 'Names or ids' }) };
  static override flags = {
    format: formatFlag,
    type: option({
      options: ['image'] as const,
      description: 'Kind of thing; only images for now',
    })(),
    ...imageFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    const found: Row[] = [];
    const failures: unknown[] = [];
    await this.withImages(flags, async (find) => {
      for (const name of args.names) {
        try {
          const image = await find(name);
          if (image === undefined)
            throw flags.type === 'image' ? noSuchImage(name) : new UiError('NO_SUCH_IMAGE', `No such object: ${name}`);
          found.push(inspectImage(image));
        } catch (error) {
          failures.push(error);
        }
      }
    });
    if (flags.format === undefined || flags.format === 'json') this.print(JSON.stringify(found, undefined, 4));
    else for (const row of found) this.print(compileTemplate(flags.format).render(row));
    this.throwAll(failures);
  }
}
