import { string as argument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { UsageError } from '../errors.ts';
import type { Credential } from '../registry/index.ts';
import { Command, givenPassword, registryFlags, registrySettings, signIn } from '../ui/index.ts';

export default class Login extends Command {
  static override summary = 'Log in to a registry';
  static override description =
    'The registry is asked first; nothing is saved where it refuses. Docker Hub unless a server is named: without a user name in the browser, on a terminal.';
  static override args = { server: argument({ description: 'Host, with port where it is not 443' }) };
  static override flags = {
    username: string({ char: 'u', description: 'User name' }),
    password: string({ char: 'p', description: 'Password; --password-stdin keeps it out of process lists' }),
    'password-stdin': boolean({ description: 'Take the password from standard input', default: false }),
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Login);
    const { Registries, serverHost } = await import('../registry/index.ts');
    if (flags.password !== undefined) {
      if (flags['password-stdin']) throw new UsageError('--password and --password-stdin cannot be used together');
      this.note('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    }
    if (flags['password-stdin'] && flags.username === undefined)
      throw new UsageError('must provide --username with --password-stdin');
    const host = serverHost(args.server ?? 'docker.io');
    const settings = registrySettings(flags);
    await using registries = new Registries(settings, { warn: (message) => this.note(`WARNING: ${message}`) });
    const password = await givenPassword(flags);
    const { credential, isNew } = await signIn(
      { host, username: flags.username, password },
      {
        registries,
        note: (text) => this.note(text),
        signal: this.interrupted,
        terminal: process.stdin.isTTY,
        browser: !['1', 't', 'true'].includes(process.env['DOCKER_CLI_DISABLE_OAUTH_LOGIN']?.toLowerCase() ?? ''),
      },
    );
    if (isNew) await this.#save(host, credential, settings.authFile);
    this.print('Login Succeeded');
  }

  async #save(host: string, credential: Credential, authFile: string | undefined): Promise<void> {
    const { processEnvironment, saveCredential } = await import('../registry/index.ts');
    const environment = processEnvironment(authFile);
    const saved = await saveCredential(host, credential, { environment, signal: this.interrupted });
    if (saved.protected) return;
    this.note(
      `WARNING! Your password is stored unencrypted in ${saved.place}.\nConfigure a credential helper to remove this warning.`,
    );
  }
}
