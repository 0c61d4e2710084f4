import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { Command } from '../ui/index.ts';

export default class Logout extends Command {
  static override summary = 'Forget the credentials of a registry';
  static override description = 'In every file and credential program that would be looked at.';
  static override args = { server: argument({ description: 'Host; Docker Hub unless given' }) };
  static override flags = { authfile: string({ description: 'Look into this file only', helpValue: 'FILE' }) };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Logout);
    const { eraseCredential, processEnvironment, serverHost } = await import('../registry/index.ts');
    const host = serverHost(args.server ?? 'docker.io');
    const environment = processEnvironment(flags.authfile);
    const known = await eraseCredential(host, { environment, signal: this.interrupted });
    this.print(
      known
        ? `Removing login credentials for ${args.server ?? 'https://index.docker.io/v1/'}`
        : `Not logged in to ${args.server ?? host}`,
    );
  }
}
