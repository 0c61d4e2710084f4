import { boolean, string } from '@oclif/core/flags';
import { loadImages } from '../build/index.ts';
import { UsageError } from '../errors.ts';
import { familiarName, hostPlatform, parsePlatform, parseReference } from '../oci/index.ts';
import { platformFlag, StoreCommand } from '../ui/index.ts';

export default class Load extends StoreCommand {
  static override summary = 'Take images from an archive into the store';
  static override ownsFiles = true;
  static override flags = {
    input: string({ char: 'i', description: 'File to read; standard input unless given', helpValue: 'FILE' }),
    quiet: boolean({ char: 'q', description: 'Show no progress', default: false }),
    platform: platformFlag,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Load);
    if (flags.input === undefined && process.stdin.isTTY) {
      throw new UsageError('requested load from stdin, but stdin is empty', { exitCode: 1 });
    }
    const platform = flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform);
    const loaded = await this.withStore((store) =>
      loadImages(flags.input ?? process.stdin, { store, platform, signal: this.interrupted }),
    );
    for (const { imageId, names } of loaded) {
      if (names.length === 0) this.print(`Loaded image ID: ${imageId}`);
      for (const name of names) this.print(`Loaded image: ${familiarName(parseReference(name))}`);
    }
  }
}
