import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { pushImage } from '../build/index.ts';
import { familiarName, formatName, isReference, parseReference } from '../oci/index.ts';
import {
  copyProgress,
  outputFormFlags,
  quietFlag,
  registryFlags,
  StoreCommand,
  toImageForm,
  UiError,
} from '../ui/index.ts';

export default class Push extends StoreCommand {
  static override summary = 'Send an image to its registry';
  static override ownsFiles = true;
  static override args = { name: argument({ required: true, description: 'NAME[:TAG]' }) };
  static override flags = {
    'all-tags': boolean({ char: 'a', description: 'Push all tags of the repository' }),
    quiet: quietFlag,
    ...outputFormFlags,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Push);
    const open = this.registries(flags);
    await this.withStore(async (store) => {
      const repository = formatName(parseReference(args.name));
      const names = flags['all-tags']
        ? store.images
            .list()
            .flatMap((image) => image.names.filter((name) => name.slice(0, name.lastIndexOf(':')) === repository))
        : [args.name];
      for (const name of names) {
        if (!flags.quiet) this.print(`The push refers to repository [${repository}]`);
        const image = store.images.find(name);
        if (image === undefined) throw noSuchTag(name);
        const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'push');
        try {
          const pushed = await pushImage(image.id, name, {
            store,
            open,
            form: toImageForm(flags),
            signal: this.interrupted,
            onEvent: (event) => progress.event(event),
          });
          progress.end();
          this.print(
            flags.quiet
              ? pushed.repoDigest
              : `${pushed.tag}: digest: ${pushed.descriptor.digest} size: ${pushed.descriptor.size}`,
          );
        } finally {
          progress.end();
        }
      }
    }, open);
  }
}

function noSuchTag(name: string): UiError {
  const shown = isReference(name) ? familiarName(parseReference(name)) : name;
  return new UiError('NO_SUCH_IMAGE', `An image does not exist locally with the tag: ${shown}`, {
    hint: '`slipway tag` gives an image the name of the repository.',
  });
}
