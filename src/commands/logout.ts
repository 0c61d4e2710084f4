import { string as argument } from '@oclif/core/args';
import { canonicalHost, eraseCredential } from '../registry/index.ts';
import { Command } from '../ui/index.ts';

export default class Logout extends Command {
  static override summary = 'Forget the credentials of a registry';
  static override args = { server: argument({ description: 'Host; Docker Hub unless given' }) };

  override async run(): Promise<void> {
    const { args } = await this.parse(Logout);
    const host = canonicalHost(args.server ?? 'docker.io');
    const known = await eraseCredential(host, { signal: this.interrupted });
    this.print(
      known
        ? `Removing login credentials for ${args.server ?? 'https://index.docker.io/v1/'}`
        : `Not logged in to ${args.server ?? host}`,
    );
  }
}
