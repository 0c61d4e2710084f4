import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import {
  formatList,
  ImageCommand,
  imageFlags,
  imageHistory,
  imageNamesHelp,
  jsonFlag,
  listFormatFlag,
  noSuchImage,
  noTruncFlag,
  quietFlag,
} from '../ui/index.ts';

const heads = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
};

export default class History extends ImageCommand {
  static override summary = 'Show how an image came to be';
  static override description = imageNamesHelp;
  static override args = { image: argument({ required: true, description: 'Name or id' }) };
  static override flags = {
    'no-trunc': noTruncFlag,
    quiet: quietFlag,
    human: boolean({
      char: 'H',
      description: 'Print sizes and dates in human readable form',
      default: true,
      allowNo: true,
    }),
    format: listFormatFlag,
    json: jsonFlag,
    ...imageFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(History);
    const rows = await this.withImages(flags, async (find) => {
      const found = await find(args.image);
      if (found === undefined) throw noSuchImage(args.image);
      return imageHistory(found, { full: flags['no-trunc'], human: flags.human });
    });
    if (flags.quiet) return this.print(rows.map((row) => row.ID).join('\n'));
    if (flags.json) return this.printJson(rows);
    this.print(
      formatList(rows, {
        heads,
        columns: ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'],
        format: flags.format,
      }),
    );
  }
}
