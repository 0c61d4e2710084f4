import { string as argument } from '@oclif/core/args';
import { artifactTree } from '../../build/index.ts';
import { parsePlatform } from '../../oci/index.ts';
import {
  artifactTreeLines,
  artifactTypeFlag,
  jsonFlag,
  PlaceCommand,
  placesHelp,
  platformFlag,
  registryFlags,
} from '../../ui/index.ts';

export default class ArtifactTree extends PlaceCommand {
  static override summary = 'Show what refers to an image, and what refers to that; of an index also to its images';
  static override description = `${placesHelp} Exit status: 0 it is there, 1 it is not, 2 it could not be found out.`;
  static override asks = true;
  static override args = { image: argument({ required: true, description: 'The image' }) };
  static override flags = {
    'artifact-type': artifactTypeFlag,
    platform: platformFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ArtifactTree);
    const { platform } = flags;
    const tree = await this.withPlaces(flags, (places) =>
      artifactTree(args.image, {
        ...places,
        artifactType: flags['artifact-type'],
        platform: platform === undefined ? undefined : parsePlatform(platform),
        signal: this.interrupted,
      }),
    );
    if (flags.json) this.printJson(tree);
    else this.print(artifactTreeLines(tree).join('\n'));
  }
}
