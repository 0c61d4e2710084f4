import { string as argument } from '@oclif/core/args';
import { pushArtifact } from '../../build/index.ts';
import {
  artifactContent,
  artifactFlags,
  EditCommand,
  jsonFlag,
  placesHelp,
  quietFlag,
  registryFlags,
} from '../../ui/index.ts';

export default class ArtifactPush extends EditCommand {
  static override summary = 'Store files as an artifact';
  static override description =
    `${placesHelp} Each file keeps its name: a path within the working folder, else its last part. Without a tag the artifact has none.`;
  static override args = {
    artifact: argument({ required: true, description: 'NAME[:TAG] or another place' }),
    files: argument({ multiple: true, description: 'FILE[:TYPE]' }),
  };
  static override flags = { ...artifactFlags, quiet: quietFlag, json: jsonFlag, ...registryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ArtifactPush);
    const content = artifactContent(args.files ?? [], flags);
    await this.edit(flags, (options) => pushArtifact(args.artifact, content, options));
  }
}
