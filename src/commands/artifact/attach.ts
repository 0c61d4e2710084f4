import { string as argument } from '@oclif/core/args';
import { attachArtifact } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import { parsePlatform } from '../../oci/index.ts';
import {
  artifactContent,
  artifactFlags,
  EditCommand,
  jsonFlag,
  placesHelp,
  platformFlag,
  quietFlag,
  registryFlags,
} from '../../ui/index.ts';

export default class ArtifactAttach extends EditCommand {
  static override summary = 'Store files as an artifact that refers to an image';
  static override description =
    `${placesHelp} It is found by the image's digest: \`artifact ls\`, \`artifact tree\`, \`copy --referrers\`. Where a registry has no referrers API, the tag that stands for it is written.`;
  static override args = {
    image: argument({ required: true, description: 'What it refers to' }),
    files: argument({ multiple: true, description: 'FILE[:TYPE]' }),
  };
  static override flags = {
    ...artifactFlags,
    platform: platformFlag,
    quiet: quietFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ArtifactAttach);
    const { platform, ...others } = flags;
    if (flags['artifact-type'] === undefined)
      throw new UsageError('--artifact-type says what is attached, and is missing');
    const content = artifactContent(args.files ?? [], flags);
    await this.edit(others, (options) =>
      attachArtifact(args.image, content, {
        ...options,
        platform: platform === undefined ? undefined : parsePlatform(platform),
      }),
    );
  }
}
