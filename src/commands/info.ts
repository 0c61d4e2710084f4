import { arch, cpus, release, totalmem } from 'node:os';
import { chooseIsolation, chooseNetwork } from '../container/index.ts';
import { compileTemplate, formatBinarySize, formatFlag, jsonFlag, readBuildInfo, StoreCommand } from '../ui/index.ts';

export default class Info extends StoreCommand {
  static override summary = 'Show what Slipway finds on this machine';
  static override ownsFiles = true;
  static override flags = { format: formatFlag, json: jsonFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Info);
    const { privileges } = this;
    const isolation = chooseIsolation('auto', privileges);
    const network = await chooseNetwork(privileges);
    const info = await this.withStore(async (store) => ({
      ServerVersion: readBuildInfo(this.config.root).version,
      Root: store.root,
      Images: store.images.list().length,
      Driver: store.snapshots.driver,
      Isolation: isolation.description,
      Network: network.description,
      Privileges: privileges.kind,
      KernelVersion: release(),
      Architecture: arch(),
      NCPU: cpus().length,
      MemTotal: totalmem(),
      Warnings: [...isolation.missing],
    }));
    if (flags.json || flags.format === 'json') return this.printJson(info);
    if (flags.format !== undefined) return this.print(compileTemplate(flags.format).render(info));
    const lines = [
      ['Version', info.ServerVersion],
      ['Store', info.Root],
      ['Images', String(info.Images)],
      ['Storage Driver', info.Driver],
      ['Isolation', info.Isolation],
      ['Network', info.Network],
      ['Privileges', info.Privileges],
      ['Kernel Version', info.KernelVersion],
      ['Architecture', info.Architecture],
      ['CPUs', String(info.NCPU)],
      ['Total Memory', formatBinarySize(info.MemTotal)],
    ];
    this.print(lines.map(([label, value]) => `${label}: ${value}`).join('\n'));
    for (const warning of info.Warnings) this.note(`WARNING: ${warning}`);
  }
}
