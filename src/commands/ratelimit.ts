import { string as argument } from '@oclif/core/args';
import { parseReference } from '../oci/index.ts';
import type { RateLimit } from '../registry/index.ts';
import { humanDuration, jsonFlag, PlaceCommand, registryFlags } from '../ui/index.ts';

/** Docker's own repository for this question; nobody pulls it. */
const usualName = 'docker.io/ratelimitpreview/test:latest';

export default class Ratelimit extends PlaceCommand {
  static override summary = 'Show how many pulls a registry still allows; asking is no pull';
  static override description =
    'With a login, those of the account. Exit status: 0 there are some, or the registry tells of no limit, 1 there are none left, 2 it could not be found out.';
  static override asks = true;
  static override args = {
    image: argument({ description: `An image there; ${usualName} unless given`, default: usualName }),
  };
  static override flags = { json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Ratelimit);
    const name = args.image.replace(/^docker:\/\//, '');
    const { registry, tag, digest } = parseReference(name);
    const client = await this.registryClient(flags);
    const repository = await client.open(name);
    const told = await repository.rateLimit(digest ?? tag ?? 'latest', { signal: this.interrupted });
    if (flags.json) this.printJson({ registry, image: name, ...(told ?? { limit: null, remaining: null }) });
    else this.print(told === undefined ? `${registry} tells of no limit` : `${registry}: ${inWords(told)}`);
    if (told?.remaining === 0) process.exitCode = 1;
  }
}

function inWords({ limit, remaining, windowSeconds, source }: RateLimit): string {
  const of = limit === undefined ? '' : ` of ${limit}`;
  const span = windowSeconds === undefined ? '' : ` in ${humanDuration(windowSeconds * 1000)}`;
  const whose = source === undefined ? '' : `, counted for ${source}`;
  return `${remaining}${of} pulls left${span}${whose}`;
}
