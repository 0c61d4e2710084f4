import { string as argument } from '@oclif/core/args';
import { listReferrers } from '../../build/index.ts';
import { formatSize, parsePlatform } from '../../oci/index.ts';
import {
  artifactTypeFlag,
  escapeControls,
  formatTable,
  jsonFlag,
  PlaceCommand,
  placesHelp,
  platformFlag,
  quietFlag,
  registryFlags,
} from '../../ui/index.ts';

export default class ArtifactLs extends PlaceCommand {
  static override summary = 'List what refers to an image: signatures, SBOMs, whatever was attached';
  static override description =
    `${placesHelp} Exit status: 0 also where the list is empty, 1 the image is not there, 2 it could not be found out.`;
  static override asks = true;
  static override args = { image: argument({ required: true, description: 'The image' }) };
  static override flags = {
    'artifact-type': artifactTypeFlag,
    platform: platformFlag,
    quiet: quietFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ArtifactLs);
    const { platform } = flags;
    const { subject, referrers } = await this.withPlaces(flags, (places) =>
      listReferrers(args.image, {
        ...places,
        artifactType: flags['artifact-type'],
        platform: platform === undefined ? undefined : parsePlatform(platform),
        signal: this.interrupted,
      }),
    );
    if (flags.json) return this.printJson({ name: args.image, digest: subject.digest, referrers });
    if (flags.quiet) return this.print(referrers.map(({ digest }) => `${digest}\n`).join(''));
    const rows = referrers.map(({ digest, artifactType = '', size }) => [
      digest,
      escapeControls(artifactType),
      formatSize(size),
    ]);
    this.print(formatTable([['DIGEST', 'ARTIFACT TYPE', 'MANIFEST SIZE'], ...rows]));
  }
}
