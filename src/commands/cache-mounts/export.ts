import { string as argument } from '@oclif/core/args';
import { exportCacheMounts } from '../../build/index.ts';
import { formatSize, jsonFlag, listFlag, StoreCommand } from '../../ui/index.ts';

export default class CacheMountsExport extends StoreCommand {
  static override summary = 'Write cache mounts into a folder, for another machine or another CI run';
  static override ownsFiles = true;
  static override args = { folder: argument({ required: true, description: 'Made where it is not there' }) };
  static override flags = {
    id: listFlag({ description: 'Only those with this id', helpValue: 'ID' }),
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(CacheMountsExport);
    const ids = flags.id === undefined ? undefined : new Set(flags.id);
    const report = await this.withStore((store) =>
      exportCacheMounts(store, args.folder, { ids, signal: this.interrupted }),
    );
    if (flags.json) return this.printJson(report);
    for (const { id, size } of report.written) this.print(`${id}: ${formatSize(size)}`);
    for (const { id } of report.unchanged) this.print(`${id}: unchanged`);
  }
}
