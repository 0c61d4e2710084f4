import { boolean, string } from '@oclif/core/flags';
import { familiarName, parseReference } from '../oci/index.ts';
import {
  confirm,
  forceFlag,
  formatSize,
  jsonFlag,
  listFlag,
  parseSize,
  pruneFilter,
  StoreCommand,
} from '../ui/index.ts';

export default class Prune extends StoreCommand {
  static override summary = 'Delete images, layers and cache records that nothing needs';
  static override ownsFiles = true;
  static override flags = {
    all: boolean({ char: 'a', description: 'Also images that have names but no container', default: false }),
    'build-cache': boolean({ description: 'Also the results of build steps', default: true, allowNo: true }),
    images: boolean({ description: 'Images too', default: true, allowNo: true }),
    filter: listFlag({
      description: 'until=24h: only what was not used since; label=KEY[=VALUE], label!=…: of images',
      helpValue: 'KEY=VALUE',
    }),
    'max-used-space': string({
      description: 'Delete no more of the build cache than it needs to fit, the least valuable first',
      helpValue: 'SIZE',
    }),
    force: forceFlag,
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Prune);
    const filter = pruneFilter(flags.filter ?? [], Date.now());
    const limit = flags['max-used-space'] === undefined ? undefined : parseSize(flags['max-used-space']);
    const what = flags.all ? 'all images without at least one container associated to them' : 'all dangling images';
    const parts = [...(flags.images ? [what] : []), ...(flags['build-cache'] ? ['unused build cache'] : [])];
    const warning = `WARNING! This will remove:${parts.map((part) => `\n  - ${part}`).join('')}`;
    if (!flags.force && !(await confirm(warning, { signal: this.interrupted }))) return;
    const report = await this.withStore(async (store) => {
      const buildCache = flags['build-cache'] && limit === undefined;
      const options = { all: flags.all, images: flags.images, buildCache, ...filter, signal: this.interrupted };
      const pruned = await store.prune(options);
      if (limit === undefined) return pruned;
      const { deletedCacheRecords, spaceReclaimed } = await store.trimCache({ limit, signal: this.interrupted });
      return { ...pruned, deletedCacheRecords, spaceReclaimed: pruned.spaceReclaimed + spaceReclaimed };
    });
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
