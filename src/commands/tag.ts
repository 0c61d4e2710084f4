import { string as argument } from '@oclif/core/args';
import { formatReference, parseReference } from '../oci/index.ts';
import { requireImage, StoreCommand, UiError } from '../ui/index.ts';

export default class Tag extends StoreCommand {
  static override summary = 'Give an image another name';
  static override args = {
    source: argument({ required: true, description: 'Name or id of the image' }),
    target: argument({ required: true, description: 'The new name' }),
  };

  override async run(): Promise<void> {
    const { args } = await this.parse(Tag);
    const reference = parseReference(args.target);
    if (reference.digest !== undefined)
      throw new UiError('INVALID_TAG', 'refusing to create a tag with a digest reference');
    const name = formatReference(reference);
    await this.withStore(async (store) => store.images.tag(requireImage(store, args.source).id, name, args.source));
  }
}
