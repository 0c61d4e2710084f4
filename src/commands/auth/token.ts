import { string as argument } from '@oclif/core/args';
import { boolean, option } from '@oclif/core/flags';
import { parseReference } from '../../oci/index.ts';
import { Command, jsonFlag, registryFlags, registrySettings } from '../../ui/index.ts';

export default class AuthToken extends Command {
  static override summary = 'Write what a request for a repository would carry as its Authorization';
  static override description =
    'The token itself, for scripts that ask the registry by themselves. It is a secret. Where the registry wants none, nothing is written.';
  static override args = { name: argument({ required: true, description: 'HOST/REPOSITORY' }) };
  static override flags = {
    push: boolean({ description: 'A token to push with', default: false }),
    format: option({
      options: ['token', 'header'] as const,
      description: 'The token alone, or a whole header line',
      default: 'token',
    })(),
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(AuthToken);
    const { Registries } = await import('../../registry/index.ts');
    await using registries = new Registries(registrySettings(flags), {
      warn: (message) => this.note(`WARNING: ${message}`),
    });
    const { registry, repository } = parseReference(args.name);
    const access = flags.push ? 'push' : 'pull';
    const value = await registries.authorization({ registry, repository }, access, { signal: this.interrupted });
    const [scheme = '', token = ''] = value?.split(' ', 2) ?? [];
    if (flags.json) this.printJson({ scheme: scheme.toLowerCase(), token });
    else if (value !== undefined) this.print(flags.format === 'header' ? `Authorization: ${value}` : token);
  }
}
