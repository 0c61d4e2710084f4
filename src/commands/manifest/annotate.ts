import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { annotateIndex } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import { compact, type Platform } from '../../oci/index.ts';
import { jsonFlag, listFlag, namedValues, PlaceCommand, placesHelp, registryFlags } from '../../ui/index.ts';

export default class ManifestAnnotate extends PlaceCommand {
  static override summary = 'Say in an index what one of its manifests is for';
  static override description = `A plain LIST is in the store. ${placesHelp}`;
  static override ownsFiles = true;
  static override args = {
    list: argument({ required: true, description: 'The index' }),
    manifest: argument({ required: true, description: 'Digest of the manifest, or where it is' }),
  };
  static override flags = {
    os: string({ description: 'Operating system', helpValue: 'OS' }),
    arch: string({ description: 'Architecture', helpValue: 'ARCH' }),
    variant: string({ description: 'Variant of the architecture', helpValue: 'VARIANT' }),
    'os-version': string({ description: 'Version of the operating system', helpValue: 'VERSION' }),
    'os-features': listFlag({ delimiter: ',', description: 'Features of the operating system', helpValue: 'FEATURE' }),
    annotation: listFlag({ description: 'Add an annotation to the entry; may be repeated', helpValue: 'KEY=VALUE' }),
    json: jsonFlag,
    ...registryFlags,
  };

  /** A list is in the store unless it says otherwise. */
  protected override async ownsFiles(): Promise<boolean> {
    return true;
  }

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ManifestAnnotate);
    const platform = compact<Partial<Platform>>({
      os: flags.os,
      architecture: flags.arch,
      variant: flags.variant,
      osVersion: flags['os-version'],
      osFeatures: flags['os-features'],
    });
    const annotations = flags.annotation && namedValues('annotation', flags.annotation);
    const hasPlatform = Object.keys(platform).length > 0;
    if (!hasPlatform && annotations === undefined) throw new UsageError('nothing to say of the manifest is given');
    const { mediaType, digest, size } = await this.withPlaces(flags, (places) =>
      annotateIndex(
        args.list,
        args.manifest,
        { platform: hasPlatform ? platform : undefined, annotations },
        { ...places, signal: this.interrupted },
      ),
    );
    if (flags.json) this.printJson({ name: args.list, mediaType, digest, size });
    else this.print(digest);
  }
}
