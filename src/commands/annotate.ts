import { string as argument } from '@oclif/core/args';
import { annotate, annotationChanges, editImage, openPlace } from '../build/index.ts';
import { UsageError } from '../errors.ts';
import { isIndexType } from '../oci/index.ts';
import { EditCommand, editFlags, listFlag, placesHelp } from '../ui/index.ts';

export default class Annotate extends EditCommand {
  static override summary = 'Set and remove annotations of a manifest, an index, or the entries of an index';
  static override description =
    `${placesHelp} Without TYPE an annotation is on what the name stands for; types are manifest, index, and manifest-descriptor, the entry of an index. With [PLATFORM] it is on that platform's.`;
  static override args = { image: argument({ required: true, description: 'Where it is' }) };
  static override flags = {
    annotation: listFlag({
      char: 'a',
      description: 'Set an annotation',
      helpValue: '[TYPE[PLATFORM],…:]KEY=VALUE',
    }),
    remove: listFlag({ description: 'Remove an annotation', helpValue: '[TYPE[PLATFORM],…:]KEY' }),
    ...editFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Annotate);
    const { annotation = [], remove = [] } = flags;
    if (annotation.length + remove.length === 0)
      throw new UsageError('nothing to set or remove: give --annotation or --remove');
    await this.edit(flags, async (options) => {
      await using place = await openPlace(args.image, { ...options, allowRemote: true });
      const root = await place.resolve(options);
      const type = isIndexType(root.mediaType) ? 'index' : 'manifest';
      return await editImage(args.image, annotate(annotationChanges(annotation, remove, type)), options);
    });
  }
}
