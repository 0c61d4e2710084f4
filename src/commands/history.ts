import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import type { ImageRecord, Store } from '../store/index.ts';
import {
  formatList,
  formatSize,
  jsonFlag,
  listFormatFlag,
  noTruncFlag,
  quietFlag,
  requireImage,
  type Row,
  shortId,
  StoreCommand,
  timeAgo,
} from '../ui/index.ts';

const heads = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
};

export default class History extends StoreCommand {
  static override summary = 'Show how an image came to be';
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
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(History);
    const rows = await this.withStore(async (store) =>
      rowsOf(store, requireImage(store, args.image), { full: flags['no-trunc'], human: flags.human }),
    );
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

type HistoryRow = Row & { readonly ID: string };

interface Shape {
  readonly full: boolean;
  readonly human: boolean;
}

/** Latest first. Only the last entry is an image here: the earlier ones are layers, shown as docker shows them. */
function rowsOf(store: Store, image: ImageRecord, { full, human }: Shape): HistoryRow[] {
  const { history, diffIds } = image.config;
  let layer = 0;
  const rows = history.map((item): HistoryRow => {
    const diffId = item.emptyLayer === true ? undefined : diffIds[layer++];
    const size = diffId === undefined ? 0 : (store.layerSize(diffId) ?? 0);
    const createdBy = (item.createdBy ?? '').replace(/[\t\r\n]/g, ' ');
    const createdAt = wholeSeconds(item.created);
    return {
      ID: '<missing>',
      CreatedSince: item.created === undefined ? 'N/A' : human ? timeAgo(new Date(item.created)) : createdAt,
      CreatedAt: createdAt,
      CreatedBy: full || createdBy.length <= 45 ? createdBy : `${createdBy.slice(0, 44)}…`,
      Size: human ? formatSize(size) : String(size),
      Comment: item.comment ?? '',
    };
  });
  const latest = rows.at(-1);
  if (latest !== undefined) rows[rows.length - 1] = { ...latest, ID: full ? image.id : shortId(image.id) };
  return rows.reverse();
}

/** `2024-01-01T00:00:00Z`, as docker writes times of the history. */
function wholeSeconds(created: string | undefined): string {
  return created === undefined ? '' : `${new Date(created).toISOString().slice(0, 19)}Z`;
}
