import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { type Pushed, pushImage } from '../build/index.ts';
import { UsageError } from '../errors.ts';
import { familiarName, formatName, isReference, parseReference } from '../oci/index.ts';
import {
  copyProgress,
  digestFileFlag,
  jsonFlag,
  outputFormFlags,
  parsePlatforms,
  platformsFlag,
  quietFlag,
  registryFlags,
  StoreCommand,
  toImageForm,
  UiError,
  writeWholeFile,
} from '../ui/index.ts';

export default class Push extends StoreCommand {
  static override summary = 'Send an image to its registry';
  static override description =
    'A name that stands for an index sends all its platforms, or those that --platform says.';
  static override ownsFiles = true;
  static override args = { name: argument({ required: true, description: 'NAME[:TAG]' }) };
  static override flags = {
    'all-tags': boolean({ char: 'a', description: 'Push all tags of the repository' }),
    platform: platformsFlag,
    quiet: quietFlag,
    'digest-file': digestFileFlag,
    json: jsonFlag,
    ...outputFormFlags,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Push);
    const { tag, digest } = parseReference(args.name, { keepUntagged: true });
    if (flags['all-tags'] === true && (tag ?? digest) !== undefined)
      throw new UsageError("tag can't be used with --all-tags/-a", { exitCode: 1 });
    const open = this.registries(flags);
    const platforms = parsePlatforms(flags.platform);
    const pushed: Pushed[] = [];
    await this.withStore(async (store) => {
      const repository = formatName(parseReference(args.name));
      const names = flags['all-tags']
        ? store.images
            .list()
            .flatMap((image) => image.names.filter((name) => name.slice(0, name.lastIndexOf(':')) === repository))
        : [args.name];
      for (const name of names) {
        if (!flags.quiet && !flags.json) this.print(`The push refers to repository [${repository}]`);
        const image = store.images.find(name);
        if (image === undefined) throw noSuchTag(name);
        const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'push');
        const one = await pushImage(image.id, name, {
          store,
          open,
          form: toImageForm(flags),
          platforms,
          signal: this.interrupted,
          onEvent: (event) => progress.event(event),
        }).finally(() => progress.end());
        pushed.push(one);
        if (!flags.json) this.print(lineOf(one, flags.quiet));
      }
    }, open);
    if (flags['digest-file'] !== undefined) {
      await writeWholeFile(flags['digest-file'], pushed.map(({ descriptor }) => `${descriptor.digest}\n`).join(''));
    }
    if (flags.json) this.printJson(flags['all-tags'] ? pushed.map(asJson) : pushed.map(asJson)[0]);
  }
}

function lineOf({ tag, descriptor, repoDigest }: Pushed, quiet: boolean): string {
  return quiet ? repoDigest : `${tag}: digest: ${descriptor.digest} size: ${descriptor.size}`;
}

function asJson({ tag, descriptor: { mediaType, digest, size }, repoDigest }: Pushed): object {
  return { name: repoDigest.slice(0, repoDigest.indexOf('@')), tag, mediaType, digest, size };
}

function noSuchTag(name: string): UiError {
  const shown = isReference(name) ? familiarName(parseReference(name)) : name;
  return new UiError('NO_SUCH_IMAGE', `An image does not exist locally with the tag: ${shown}`, {
    hint: '`slipway tag` gives an image the name of the repository.',
  });
}
