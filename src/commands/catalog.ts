import { string as argument } from '@oclif/core/args';
import { escapeControls, jsonFlag, PlaceCommand, registryFlags } from '../ui/index.ts';

export default class Catalog extends PlaceCommand {
  static override summary = 'List the repositories of a registry; not every registry lets itself be asked';
  static override description = 'Exit status: 0 it told, 1 there is no such list, 2 it could not be found out.';
  static override asks = true;
  static override args = { registry: argument({ required: true, description: 'HOST[:PORT]' }) };
  static override flags = { json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Catalog);
    const host = args.registry.replace(/^docker:\/\//, '').replace(/\/$/, '');
    const client = await this.registryClient(flags);
    const repositories = await client.listRepositories(host, { signal: this.interrupted });
    if (flags.json) return this.printJson({ registry: host, repositories });
    if (repositories.length > 0) this.print(repositories.map(escapeControls).join('\n'));
  }
}
