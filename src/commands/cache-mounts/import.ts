import { string as argument } from '@oclif/core/args';
import { importCacheMounts } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import { jsonFlag, listFlag, StoreCommand } from '../../ui/index.ts';

export default class CacheMountsImport extends StoreCommand {
  static override summary = 'Read cache mounts that were exported, where they are not here or are older';
  static override ownsFiles = true;
  static override args = { folder: argument({ required: true, description: 'A folder that was exported to' }) };
  static override flags = {
    id: listFlag({ description: 'Only those with this id', helpValue: 'ID' }),
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(CacheMountsImport);
    const ids = flags.id === undefined ? undefined : new Set(flags.id);
    const onProblem = (message: string): void => {
      this.note(message);
      process.exitCode = 1;
    };
    const report = await this.withStore((store) =>
      importCacheMounts(store, args.folder, { ids, signal: this.interrupted, onProblem }),
    );
    if (!report.found) throw new UsageError(`${args.folder} holds no exported cache mounts`, { exitCode: 1 });
    if (flags.json) return this.printJson({ imported: report.imported, skipped: report.skipped });
    for (const { id } of report.imported) this.print(`${id}: imported`);
    for (const { id } of report.skipped) this.print(`${id}: already here`);
  }
}
