import { string as argument } from '@oclif/core/args';
import { UsageError } from '../../errors.ts';
import { Command, readStandardInput, registryFlags, registrySettings } from '../../ui/index.ts';

const mostInput = 1 << 20;
const verbs = ['get', 'store', 'erase', 'list'];

export default class AuthHelper extends Command {
  static override summary = 'Be a credential program of docker';
  static override description =
    'What `docker-credential-slipway` runs: get, store, erase or list, with the request on standard input. `get` gives what Slipway would use itself, also made for the moment (Amazon ECR); what is stored goes to the auth.json of containers.';
  static override args = { verb: argument({ required: true, description: verbs.join(', ') }) };
  static override flags = registryFlags;

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(AuthHelper);
    const { Registries, serveProgram } = await import('../../registry/index.ts');
    if (!verbs.includes(args.verb)) throw new UsageError(`not get, store, erase or list: ${args.verb}`);
    await using registries = new Registries(registrySettings(flags));
    const input = args.verb === 'list' ? '' : (await readStandardInput(mostInput)).toString('utf8');
    const { text, exitCode } = await serveProgram(args.verb, input, {
      book: registries.credentials,
      signal: this.interrupted,
    });
    this.print(text);
    process.exitCode = exitCode;
  }
}
