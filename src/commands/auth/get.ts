import { string as argument } from '@oclif/core/args';
import { Command, readStandardInput, registryFlags, registrySettings } from '../../ui/index.ts';

/** A server's name is no longer than this; bytes. */
const longestName = 4096;

export default class AuthGet extends Command {
  static override summary = 'Write the credential for a registry, as a credential program of docker does';
  static override description =
    'JSON with ServerURL, Username and Secret. The server is read from standard input unless it is given. Ends with 1 where there is none.';
  static override args = { server: argument({ description: 'Host; `-` or nothing for standard input' }) };
  static override flags = registryFlags;

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(AuthGet);
    const { programReply, Registries, serverHost } = await import('../../registry/index.ts');
    const given = args.server === undefined || args.server === '-' ? undefined : args.server;
    const server = given ?? (await readStandardInput(longestName)).toString('utf8').trim();
    await using registries = new Registries(registrySettings(flags));
    const query = { host: serverHost(server), repository: '', purpose: 'pull' } as const;
    const warn = (message: string): void => this.note(`WARNING: ${message}`);
    const found = await registries.credentials.find(query, { warn, signal: this.interrupted });
    const { text, exitCode } = programReply(server, found?.credential);
    this.print(text);
    process.exitCode = exitCode;
  }
}
