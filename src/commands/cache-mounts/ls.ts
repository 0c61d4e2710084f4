import {
  cacheMountFilter,
  formatList,
  formatSize,
  jsonFlag,
  listFlag,
  listFormatFlag,
  StoreCommand,
  timeAgo,
} from '../../ui/index.ts';

const heads = { Name: 'NAME', ID: 'ID', Size: 'SIZE', Created: 'CREATED', LastUsed: 'LAST USED', InUse: 'IN USE' };

export default class CacheMountsLs extends StoreCommand {
  static override summary = 'List the folders that RUN --mount=type=cache made';
  static override ownsFiles = true;
  static override flags = {
    filter: listFlag({ description: 'id=ID, until=DURATION (not used for so long)', helpValue: 'KEY=VALUE' }),
    format: listFormatFlag,
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(CacheMountsLs);
    const filter = cacheMountFilter(flags.filter ?? [], { ids: [], now: Date.now() });
    const mounts = await this.withStore(async ({ cacheMounts }) => {
      const records = cacheMounts.list().filter(filter);
      const sizes = await cacheMounts.measure(records);
      return records.map((record, index) => ({ ...record, size: sizes[index] ?? 0 }));
    });
    if (flags.json) return this.printJson(mounts);
    const rows = mounts.map((mount) => ({
      Name: mount.name,
      ID: mount.id,
      Origin: mount.origin,
      Size: formatSize(mount.size),
      Created: timeAgo(new Date(mount.created)),
      LastUsed: timeAgo(new Date(mount.lastUsed)),
      InUse: String(mount.inUse),
    }));
    this.print(formatList(rows, { heads, columns: Object.keys(heads), format: flags.format }));
  }
}
