import { string as argument } from '@oclif/core/args';
import { keptStep } from '../../build/index.ts';
import { StoreCommand } from '../../ui/index.ts';

export default class DebugRm extends StoreCommand {
  static override summary = 'Remove kept failed steps';
  static override ownsFiles = true;
  static override args = { ids: argument({ required: true, multiple: true, description: 'Ids of kept steps' }) };

  override async run(): Promise<void> {
    const { args } = await this.parse(DebugRm);
    await this.withStore(async (store) => {
      for (const id of args.ids) {
        store.images.remove(keptStep(store, id).id);
        this.print(id);
      }
      await store.collectGarbage({ signal: this.interrupted });
    });
  }
}
