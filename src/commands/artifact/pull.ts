import { string as argument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { pullArtifact } from '../../build/index.ts';
import { parsePlatform } from '../../oci/index.ts';
import {
  escapeControls,
  jsonFlag,
  PlaceCommand,
  placesHelp,
  platformFlag,
  quietFlag,
  registryFlags,
} from '../../ui/index.ts';

export default class ArtifactPull extends PlaceCommand {
  static override summary = 'Write the files of an artifact into a folder';
  static override description =
    `${placesHelp} Names that lead out of the folder are refused, and no link in it is followed out. With --artifact-type and an image, the artifact of that type which refers to it.`;
  static override args = { artifact: argument({ required: true, description: 'Where it is' }) };
  static override flags = {
    output: string({ char: 'o', description: 'The folder', default: '.', helpValue: 'FOLDER' }),
    'artifact-type': string({ description: 'Type of the artifact', helpValue: 'TYPE' }),
    'keep-old-files': boolean({ char: 'k', description: 'Replace no file', default: false }),
    platform: platformFlag,
    quiet: quietFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ArtifactPull);
    const { platform, output } = flags;
    const pulled = await this.withPlaces(flags, (places) =>
      pullArtifact(args.artifact, {
        ...places,
        output,
        artifactType: flags['artifact-type'],
        keepFiles: flags['keep-old-files'],
        platform: platform === undefined ? undefined : parsePlatform(platform),
        signal: this.interrupted,
      }),
    );
    const { descriptor, artifactType, files, unnamed } = pulled;
    if (unnamed.length > 0 && !flags.quiet) this.note(`${unnamed.length} layers have no name and are no files`);
    if (flags.json) {
      const written = files.map(({ path, descriptor: file }) => ({ path, ...file }));
      return this.printJson({ name: args.artifact, digest: descriptor.digest, artifactType, files: written });
    }
    if (flags.quiet) return this.print(descriptor.digest);
    for (const { path } of files) this.print(escapeControls(path));
  }
}
