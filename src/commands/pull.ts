import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { pullAllTags, type Pulled, pullImage } from '../build/index.ts';
import { UsageError } from '../errors.ts';
import {
  familiarName,
  familiarRepository,
  formatPlatform,
  parseReference,
  type Platform,
  targetReference,
} from '../oci/index.ts';
import {
  copyProgress,
  digestFileFlag,
  jsonFlag,
  parsePlatforms,
  platformsFlag,
  quietFlag,
  registryFlags,
  StoreCommand,
  writeWholeFile,
} from '../ui/index.ts';

export default class Pull extends StoreCommand {
  static override summary = 'Fetch an image from its registry and unpack it';
  static override description = 'Of an index comes the image for this machine, or what --platform says.';
  static override ownsFiles = true;
  static override args = { name: argument({ required: true, description: 'NAME[:TAG|@DIGEST]' }) };
  static override flags = {
    'all-tags': boolean({ char: 'a', description: 'Pull all tags of the repository', default: false }),
    platform: platformsFlag,
    quiet: quietFlag,
    'digest-file': digestFileFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Pull);
    const reference = parseReference(args.name, { keepUntagged: true });
    const all = flags['all-tags'];
    if (all && (reference.tag ?? reference.digest) !== undefined)
      throw new UsageError("tag can't be used with --all-tags/-a", { exitCode: 1 });
    const shown = !flags.quiet && !flags.json;
    const platforms = parsePlatforms(flags.platform);
    const tell = (tag: string): void => {
      if (!flags.quiet) this.note(`${tag}: Pulling from ${reference.repository}`);
    };
    if (shown && !all && reference.tag === undefined && reference.digest === undefined)
      this.print('Using default tag: latest');
    if (!all) tell(targetReference(reference));
    const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'pull');
    const open = this.registries(flags);
    const pulled = await this.withStore(async (store) => {
      const options = {
        store,
        open,
        platforms,
        signal: this.interrupted,
        onEvent: progress.event.bind(progress),
      };
      if (all) return pullAllTags(args.name, { ...options, onTag: tell });
      return [await pullImage(args.name, options)];
    }, open).finally(() => progress.end());
    if (flags['digest-file'] !== undefined) {
      await writeWholeFile(flags['digest-file'], pulled.map(({ root }) => `${root.digest}\n`).join(''));
    }
    if (flags.json) return this.printJson(all ? pulled.map(asJson) : pulled.map(asJson)[0]);
    if (shown) this.#tellStatus(pulled, platforms);
    this.print(all ? familiarRepository(reference) : pulled.map(({ name }) => name).join('\n'));
  }

  #tellStatus(pulled: readonly Pulled[], platforms: readonly Platform[]): void {
    for (const { root, name, changed } of pulled) {
      this.print(`Digest: ${root.digest}`);
      const shown = familiarName(parseReference(name));
      this.print(`Status: ${changed ? 'Downloaded newer image' : 'Image is up to date'} for ${shown}`);
    }
    if (platforms.length > 0) this.note(`platform ${platforms.map(formatPlatform).join(', ')}`);
  }
}

function asJson({ name, root, imageId, changed }: Pulled): object {
  return { name, mediaType: root.mediaType, digest: root.digest, imageId, changed };
}
