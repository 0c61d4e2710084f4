import { string as argument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { UsageError } from '../errors.ts';
import { canonicalHost, checkLogin, saveCredential } from '../registry/index.ts';
import { ask, askPassword, Command, readStandardInput } from '../ui/index.ts';

/** Passwords longer than this are no passwords; bytes. */
const maxPassword = 1 << 20;

export default class Login extends Command {
  static override summary = 'Log in to a registry';
  static override description =
    'The registry is asked first; nothing is saved where it refuses. Docker Hub unless a server is named.';
  static override args = { server: argument({ description: 'Host, with port where it is not 443' }) };
  static override flags = {
    username: string({ char: 'u', description: 'User name' }),
    password: string({ char: 'p', description: 'Password; --password-stdin keeps it out of process lists' }),
    'password-stdin': boolean({ description: 'Take the password from standard input', default: false }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Login);
    if (flags.password !== undefined) {
      if (flags['password-stdin']) throw new UsageError('--password and --password-stdin cannot be used together');
      this.note('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    }
    if (flags['password-stdin'] && flags.username === undefined)
      throw new UsageError('must provide --username with --password-stdin');
    const host = canonicalHost(args.server ?? 'docker.io');
    const username = flags.username ?? (await ask('Username: ', { signal: this.interrupted }));
    const password = await this.#password(flags);
    if (username === '' || password === '')
      throw new UsageError('username and password must not be empty', { exitCode: 1 });
    const credential = { kind: 'basic', username, password } as const;
    await checkLogin(host, credential, { signal: this.interrupted });
    const saved = await saveCredential(host, credential, { signal: this.interrupted });
    if (!saved.protected)
      this.note(
        `WARNING! Your password is stored unencrypted in ${saved.place}.\nConfigure a credential helper to remove this warning.`,
      );
    this.print('Login Succeeded');
  }

  async #password(flags: {
    readonly password: string | undefined;
    readonly 'password-stdin': boolean;
  }): Promise<string> {
    if (flags.password !== undefined) return flags.password;
    if (!flags['password-stdin']) return askPassword('Password: ', { signal: this.interrupted });
    return (await readStandardInput(maxPassword)).toString('utf8').replace(/\r?\n$/, '');
  }
}
