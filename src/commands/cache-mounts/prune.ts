import { cacheMountFilter, confirm, forceFlag, formatSize, jsonFlag, listFlag, StoreCommand } from '../../ui/index.ts';

export default class CacheMountsPrune extends StoreCommand {
  static override summary = 'Delete cache mounts that no step uses';
  static override ownsFiles = true;
  static override flags = {
    id: listFlag({ description: 'Only those with this id', helpValue: 'ID' }),
    filter: listFlag({ description: 'id=ID, until=DURATION (not used for so long)', helpValue: 'KEY=VALUE' }),
    force: forceFlag,
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(CacheMountsPrune);
    const filter = cacheMountFilter(flags.filter ?? [], { ids: flags.id ?? [], now: Date.now() });
    const warning = 'WARNING! This will remove:\n  - cache mounts that no step uses';
    if (!flags.force && !(await confirm(warning, { signal: this.interrupted }))) return;
    const deleted = await this.withStore(async ({ cacheMounts }) => {
      const records = cacheMounts.list().filter(filter);
      const sizes = await cacheMounts.measure(records);
      const removed = new Set(await cacheMounts.remove(records));
      return records.flatMap(({ name, id }, index) =>
        removed.has(name) ? [{ name, id, size: sizes[index] ?? 0 }] : [],
      );
    });
    const spaceReclaimed = deleted.reduce((sum, { size }) => sum + size, 0);
    if (flags.json) return this.printJson({ deleted, spaceReclaimed });
    for (const { id } of deleted) this.print(id);
    this.print(`${deleted.length > 0 ? '\n' : ''}Total reclaimed space: ${formatSize(spaceReclaimed)}`);
  }
}
