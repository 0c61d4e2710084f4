import { string as argument } from '@oclif/core/args';
import { option } from '@oclif/core/flags';
import { messageOf } from '../errors.ts';
import { compileTemplate, formatFlag, inspectImage, requireImage, type Row, StoreCommand } from '../ui/index.ts';

export default class Inspect extends StoreCommand {
  static override summary = 'Show everything about images of the store';
  static override args = { names: argument({ required: true, multiple: true, description: 'Names or ids' }) };
  static override flags = {
    format: formatFlag,
    type: option({
      options: ['image'] as const,
      description: 'Kind of thing; only images for now',
      default: 'image',
    })(),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    const found: Row[] = [];
    const failures: unknown[] = [];
    await this.withStore(async (store) => {
      for (const name of args.names) {
        try {
          found.push(inspectImage(requireImage(store, name)));
        } catch (error) {
          failures.push(error);
        }
      }
    });
    if (flags.format === undefined || flags.format === 'json') this.printJson(found);
    else for (const row of found) this.print(compileTemplate(flags.format).render(row));
    for (const failure of failures.slice(0, -1)) this.note(`Error: ${messageOf(failure)}`);
    if (failures.length > 0) throw failures.at(-1);
  }
}
