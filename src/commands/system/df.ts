import type { UsageRow } from '../../store/index.ts';
import { formatList, formatSize, jsonFlag, listFormatFlag, StoreCommand } from '../../ui/index.ts';

const heads = { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' };

export default class SystemDf extends StoreCommand {
  static override summary = 'Show how much disk the store uses';
  static override flags = { format: listFormatFlag, json: jsonFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(SystemDf);
    const usage = await this.withStore((store) => store.usage());
    if (flags.json) return this.printJson(usage);
    const rows = [
      rowOf('Images', usage.images),
      rowOf('Containers', usage.containers),
      rowOf('Local Volumes', usage.volumes),
      rowOf('Build Cache', usage.buildCache),
    ];
    this.print(formatList(rows, { heads, columns: Object.keys(heads), format: flags.format }));
  }
}

function rowOf(type: string, row: UsageRow) {
  // Docker shows no share of its build cache.
  const share = row.size === 0 || type === 'Build Cache' ? '' : ` (${Math.floor((row.reclaimable / row.size) * 100)}%)`;
  return {
    Type: type,
    TotalCount: String(row.total),
    Active: String(row.active),
    Size: formatSize(row.size),
    Reclaimable: `${formatSize(row.reclaimable)}${share}`,
  };
}
