import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { BuildHistory, buildStateOf, storeRoot } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import { StoreCommand } from '../../ui/index.ts';

export default class BuildsRm extends StoreCommand {
  static override summary = 'Forget builds; what they built and their cache stay';
  static override args = { builds: argument({ multiple: true, description: 'Ids, or beginnings of them' }) };
  static override flags = { all: boolean({ description: 'All but those that run', default: false }) };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BuildsRm);
    const named = args.builds ?? [];
    if (flags.all === named.length > 0) throw new UsageError('name the builds to forget, or all of them with --all');
    const history = new BuildHistory(storeRoot(this.privileges));
    const failures: unknown[] = [];
    const forget = async (id: string): Promise<void> => {
      await history.remove(id);
      this.print(id);
    };
    if (flags.all) {
      for (const record of await history.list()) if (buildStateOf(record) !== 'running') await forget(record.id);
    }
    for (const name of named) {
      try {
        await forget((await history.find(name)).id);
      } catch (error) {
        failures.push(error);
      }
    }
    this.throwAll(failures);
  }
}
