import { string as argument } from '@oclif/core/args';
import { Command, jsonFlag, registryFlags, registrySettings, UiError } from '../ui/index.ts';

export default class Whoami extends Command {
  static override summary = 'Show who is logged in to a registry';
  static override description = 'The registry is not asked. Ends with 1 where nobody is.';
  static override args = { server: argument({ description: 'Host; Docker Hub unless given' }) };
  static override flags = { json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Whoami);
    const { Registries, serverHost, userOf } = await import('../registry/index.ts');
    const host = serverHost(args.server ?? 'docker.io');
    await using registries = new Registries(registrySettings(flags));
    const query = { host, repository: '', purpose: 'pull' } as const;
    const warn = (message: string): void => this.note(`WARNING: ${message}`);
    const found = await registries.credentials.find(query, { warn, signal: this.interrupted });
    if (found === undefined) {
      throw new UiError('NO_CREDENTIAL', `not logged in to ${host}`, { hint: `\`slipway login ${host}\` logs in.` });
    }
    const { credential, place } = found;
    const user = userOf(credential);
    if (flags.json) return this.printJson({ server: host, username: user ?? null, kind: credential.kind, place });
    this.print(user ?? `a ${credential.kind.replace('-', ' ')} without a name (${place})`);
  }
}
