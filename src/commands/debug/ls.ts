import { type KeptStep, keptSteps } from '../../build/index.ts';
import {
  formatGoTime,
  formatList,
  formatSize,
  jsonFlag,
  listFormatFlag,
  noTruncFlag,
  quietFlag,
  type Row,
  shortId,
  StoreCommand,
  timeAgo,
} from '../../ui/index.ts';

const heads = {
  ID: 'ID',
  Step: 'STEP',
  ExitCode: 'EXIT CODE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
};

export default class DebugLs extends StoreCommand {
  static override summary = 'List the failed steps that `build --on-error=keep` kept';
  static override flags = { 'no-trunc': noTruncFlag, quiet: quietFlag, format: listFormatFlag, json: jsonFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(DebugLs);
    const full = flags['no-trunc'];
    const rows = await this.withStore(async (store) => keptSteps(store).map((kept) => rowOf(kept, { full })));
    if (flags.quiet) return this.print(rows.map((row) => row.ID).join('\n'));
    if (flags.json) return this.printJson(rows);
    const columns = ['ID', 'Step', 'ExitCode', 'CreatedSince', 'Size'];
    this.print(formatList(rows, { heads, columns, format: flags.format }));
  }
}

const longestTitle = 60;

function rowOf(kept: KeptStep, { full }: { readonly full: boolean }): Row & { readonly ID: string } {
  const created = new Date(kept.created);
  const isShort = full || kept.title.length <= longestTitle;
  return {
    ID: full ? kept.id : shortId(kept.id),
    Step: isShort ? kept.title : `${kept.title.slice(0, longestTitle - 1)}…`,
    ExitCode: String(kept.exitCode),
    CreatedSince: timeAgo(created),
    CreatedAt: formatGoTime(created),
    Size: formatSize(kept.size),
  };
}
