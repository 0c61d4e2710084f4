import { string as argument } from '@oclif/core/args';
import { option } from '@oclif/core/flags';
import {
  compileTemplate,
  formatFlag,
  inspectImage,
  requireImage,
  type Row,
  StoreCommand,
  UiError,
} from '../ui/index.ts';

export default class Inspect extends StoreCommand {
  static override summary = 'Show everything about images of the store';
  static override args = { names: argument({ required: true, multiple: true, description: 'Names or ids' }) };
  static override flags = {
    format: formatFlag,
    type: option({
      options: ['image'] as const,
      description: 'Kind of thing; only images for now',
    })(),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    const found: Row[] = [];
    const failures: unknown[] = [];
    await this.withStore(async (store) => {
      for (const name of args.names) {
        try {
          const image = flags.type === 'image' ? requireImage(store, name) : store.images.find(name);
          if (image === undefined) throw new UiError('NO_SUCH_IMAGE', `No such object: ${name}`);
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
