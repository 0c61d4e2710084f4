import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { type ByteRange, describeBlob, openPlace, readBlob } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import {
  copyProgress,
  outputFlag,
  PlaceCommand,
  placesHelp,
  quietFlag,
  registryFlags,
  withProgress,
} from '../../ui/index.ts';

export default class BlobGet extends PlaceCommand {
  static override summary = 'Write a blob, verified, or a part of it';
  static override description = `${placesHelp} Exit status: 0 it is there, 1 it is not, 2 it could not be had.`;
  static override asks = true;
  static override args = { blob: argument({ required: true, description: 'NAME@DIGEST' }) };
  static override flags = {
    output: outputFlag,
    range: string({
      description: 'Only these bytes, counted from 0; a part is not verified',
      helpValue: 'START-[END]',
    }),
    quiet: quietFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BlobGet);
    const range = flags.range === undefined ? undefined : parseRange(flags.range);
    const signal = this.interrupted;
    // On standard output it would stand between the lines.
    const shown = flags.output !== undefined && !flags.quiet;
    const progress = copyProgress(shown ? 'auto' : 'quiet', 'pull');
    await this.withPlaces(flags, async (places) => {
      await using place = await openPlace(args.blob, places);
      const blob = await describeBlob(place, { signal });
      const content = await readBlob(place, blob, { range, signal });
      await this.writeResult(withProgress(content, blob, progress), flags.output);
    }).finally(() => progress.end());
  }
}

function parseRange(text: string): ByteRange {
  const [, start, end] = /^(\d{1,15})-(\d{1,15})?$/.exec(text) ?? [];
  if (start === undefined || (end !== undefined && Number(end) < Number(start))) {
    throw new UsageError(`not a range of bytes: ${JSON.stringify(text)}`, {
      hint: 'a range is 0-99, or 100- for the rest',
    });
  }
  return { start: Number(start), end: end === undefined ? undefined : Number(end) };
}
