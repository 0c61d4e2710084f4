import { boolean, option, string } from '@oclif/core/flags';
import { appendLayers, editImage, imageOfLayers, layerFromTar, type Workbench } from '../build/index.ts';
import { UsageError } from '../errors.ts';
import { parsePlatform } from '../oci/index.ts';
import { EditCommand, editFlags, epochOf, listFlag, placesHelp } from '../ui/index.ts';

export default class Append extends EditCommand {
  static override summary = 'Put layers onto an image, or make an image of nothing but layers';
  static override description =
    `${placesHelp} Of an index each image gets the layers. A compressed tar keeps its bytes. With SOURCE_DATE_EPOCH that is the time of the image.`;
  static override flags = {
    base: string({ char: 'b', description: 'The image they are put on; none: a new image', helpValue: 'PLACE' }),
    'new-layer': listFlag({
      char: 'f',
      aliases: ['new_layer'],
      description: 'Tar of a layer, compressed or not; - for standard input',
      helpValue: 'FILE',
    }),
    'set-base-image-annotations': boolean({
      description: 'Annotate what the image is on, for rebase and check-base',
      default: false,
    }),
    compression: option({
      options: ['gzip', 'zstd', 'none'] as const,
      description: 'Of the new layers; as they come, gzip for those that are not compressed, unless given',
    })(),
    ...editFlags,
    tag: string({
      char: 't',
      aliases: ['new_tag'],
      description: 'Where the result goes',
      helpValue: 'NAME[:TAG]|PLACE',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Append);
    const { base, compression, 'new-layer': files = [] } = flags;
    if (files.length === 0) throw new UsageError('no layer is given: -f FILE');
    if (files.filter((file) => file === '-').length > 1) throw new UsageError('standard input can be read only once');
    const layersOf = async (bench: Workbench) => {
      const signal = this.interrupted;
      const layers = [];
      for (const file of files)
        layers.push(await layerFromTar(bench, file === '-' ? process.stdin : file, { compression, signal }));
      return layers;
    };
    const epoch = epochOf();
    await this.edit(flags, async (options) => {
      if (base === undefined) {
        const [platform, ...others] = flags.platform ?? [];
        if (others.length > 0) throw new UsageError('a new image is for one platform');
        return imageOfLayers(layersOf, {
          ...options,
          epoch,
          platform: platform === undefined ? undefined : parsePlatform(platform),
        });
      }
      const recorded = flags['set-base-image-annotations'] ? base.replace(/^docker:\/\//, '') : undefined;
      return editImage(
        base,
        async (bench) => ({ image: appendLayers(await layersOf(bench), { epoch, base: recorded }) }),
        options,
      );
    });
  }
}
