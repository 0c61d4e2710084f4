import { string as argument } from '@oclif/core/args';
import { Command, jsonFlag, registryFlags, registryReportText } from '../../ui/index.ts';

export default class RegistryConfig extends Command {
  static override summary = 'Show what applies to a registry or an image, and which file says so';
  static override description =
    'Location, mirrors and what each may serve, certificates, proxy, and whose credential is sent. No registry is asked.';
  static override args = {
    name: argument({ required: true, description: 'HOST[:PORT] of a registry, or NAME of an image' }),
  };
  static override flags = { json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RegistryConfig);
    const registries = await this.registryClient(flags);
    const report = await registries.describe(args.name, { signal: this.interrupted });
    if (flags.json) this.printJson(report);
    else this.print(registryReportText(report));
  }
}
