import { string as argument } from '@oclif/core/args';
import { option, string } from '@oclif/core/flags';
import { saveImages } from '../build/index.ts';
import { UsageError } from '../errors.ts';
import { outputFormFlags, requireImage, StoreCommand, toImageForm } from '../ui/index.ts';

export default class Save extends StoreCommand {
  static override summary = 'Write images to an archive';
  static override ownsFiles = true;
  static override args = { images: argument({ required: true, multiple: true, description: 'Names or ids' }) };
  static override flags = {
    output: string({ char: 'o', description: 'File to write; standard output unless given', helpValue: 'FILE' }),
    format: option({ options: ['docker', 'oci'] as const, description: 'Kind of archive', default: 'docker' })(),
    ...outputFormFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Save);
    if (flags.output === undefined && process.stdout.isTTY) {
      throw new UsageError('cowardly refusing to save to a terminal. Use the -o flag or redirect', { exitCode: 1 });
    }
    await this.withStore(async (store) => {
      const images = args.images.map((name) => ({ image: requireImage(store, name), name }));
      await saveImages(images, {
        store,
        archive: flags.format,
        destination: flags.output ?? process.stdout,
        form: toImageForm(flags),
        signal: this.interrupted,
      });
    });
  }
}
