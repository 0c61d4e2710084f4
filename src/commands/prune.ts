import { boolean } from '@oclif/core/flags';
import { familiarName, parseReference } from '../oci/index.ts';
import { confirm, forceFlag, formatSize, jsonFlag, StoreCommand } from '../ui/index.ts';

export default class Prune extends StoreCommand {
  static override summary = 'Delete images, layers and cache records that nothing needs';
  static override ownsFiles = true;
  static override flags = {
    all: boolean({ char: 'a', description: 'Also images that have names but no container', default: false }),
    'build-cache': boolean({ description: 'Also the results of build steps', default: true, allowNo: true }),
    force: forceFlag,
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Prune);
    const what = flags.all ? 'all images without at least one container associated to them' : 'all dangling images';
    const warning = `WARNING! This will remove:\n  - ${what}${flags['build-cache'] ? '\n  - unused build cache' : ''}`;
    if (!flags.force && !(await confirm(warning, { signal: this.interrupted }))) return;
    const report = await this.withStore((store) =>
      store.prune({ all: flags.all, buildCache: flags['build-cache'], signal: this.interrupted }),
    );
    if (flags.json) return this.printJson(report);
    const images = report.deleted.length + report.untagged.length > 0;
    if (images) this.print('Deleted Images:');
    for (const name of report.untagged) this.print(`untagged: ${familiarName(parseReference(name))}`);
    for (const digest of report.deleted) this.print(`deleted: ${digest}`);
    const cache = report.deletedCacheRecords.length + report.deletedCacheMounts.length > 0;
    if (cache) this.print(`${images ? '\n' : ''}Deleted build cache objects:`);
    for (const digest of report.deletedCacheRecords) this.print(digest);
    for (const id of report.deletedCacheMounts) this.print(`cache mount ${id}`);
    this.print(`${images || cache ? '\n' : ''}Total reclaimed space: ${formatSize(report.spaceReclaimed)}`);
  }
}
