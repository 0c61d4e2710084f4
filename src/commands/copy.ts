import { string as argument } from '@oclif/core/args';
import { boolean, integer, option } from '@oclif/core/flags';
import { type CopiedImage, copyAllTags, copyImage, type CopyImageOptions } from '../build/index.ts';
import { UsageError } from '../errors.ts';
import { formatPlatform } from '../oci/index.ts';
import { isStandardOutput } from '../transports/index.ts';
import {
  checkLevel,
  copyProgress,
  digestFileFlag,
  jsonFlag,
  listFlag,
  parsePlatforms,
  PlaceCommand,
  placesHelp,
  platformsFlag,
  quietFlag,
  registryFlags,
  toJson,
  writeWholeFile,
} from '../ui/index.ts';

export default class Copy extends PlaceCommand {
  static override summary = 'Copy an image from one place to another, byte for byte';
  static override description = `${placesHelp} All platforms are copied unless --platform chooses.`;
  static override args = {
    source: argument({ required: true, description: 'Where it is' }),
    destination: argument({ required: true, description: 'Where it goes' }),
  };
  static override flags = {
    'all-tags': boolean({ char: 'a', description: 'Copy every tag of the repository or layout', default: false }),
    platform: platformsFlag,
    referrers: boolean({ description: 'Copy what refers to the image too (signatures, SBOMs)', default: false }),
    format: option({ options: ['oci', 'docker'] as const, description: 'Convert to these media types' })(),
    compression: option({ options: ['gzip', 'zstd', 'none'] as const, description: 'Compress layers so' })(),
    'compression-level': integer({ description: 'Level for layers that are compressed anew' }),
    'force-compression': boolean({ description: 'Compress layers that are so already, too', default: false }),
    'preserve-digests': boolean({ description: 'Fail where a digest would change', default: false }),
    'no-clobber': boolean({ char: 'n', description: 'Leave names that the destination has', default: false }),
    'additional-tag': listFlag({ description: 'Give the copy this tag too; may be repeated', helpValue: 'TAG' }),
    'allow-foreign-layers': boolean({
      description: 'Copy layers that may not be distributed, too, from the URLs that they name',
      default: false,
    }),
    quiet: quietFlag,
    'digest-file': digestFileFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Copy);
    const { compression, 'compression-level': level, 'force-compression': force } = flags;
    if (compression === undefined && (level !== undefined || force))
      throw new UsageError('--compression-level and --force-compression go with --compression');
    checkLevel(level, compression);
    const all = flags['all-tags'];
    if (all && flags['additional-tag'] !== undefined)
      throw new UsageError('--all-tags and --additional-tag exclude each other');
    const progress = copyProgress(flags.quiet ? 'quiet' : 'auto', 'push');
    const platforms = flags.platform && parsePlatforms(flags.platform);
    const copied = await this.withPlaces(flags, async (places): Promise<readonly CopiedImage[]> => {
      const options: CopyImageOptions = {
        ...places,
        platforms,
        referrers: flags.referrers,
        conversion: { format: flags.format, compression, level, force },
        preserveDigests: flags['preserve-digests'],
        noClobber: flags['no-clobber'],
        tags: flags['additional-tag'],
        foreignLayers: flags['allow-foreign-layers'],
        signal: this.interrupted,
        onEvent: (event) => progress.event(event),
        onNote: (note) => void (flags.quiet || this.note(note)),
      };
      if (all) return copyAllTags(args.source, args.destination, options);
      return [await copyImage(args.source, args.destination, options)];
    }).finally(() => progress.end());
    for (const name of copied.flatMap(({ kept }) => kept)) this.note(`${name} is there already: left as it is`);
    if (platforms !== undefined && !flags.quiet) this.note(`copied for ${platforms.map(formatPlatform).join(', ')}`);
    if (flags['digest-file'] !== undefined) await writeWholeFile(flags['digest-file'], digestLines(copied));
    const result = flags.json ? toJson(all ? copied.map(asJson) : copied.map(asJson)[0]) : digestLines(copied);
    // an archive on standard output is all that may be there
    if (isStandardOutput(args.destination)) this.note(result);
    else this.print(result);
  }
}

function digestLines(copied: readonly CopiedImage[]): string {
  return copied.map(({ descriptor }) => `${descriptor.digest}\n`).join('');
}

function asJson({ descriptor: { mediaType, digest, size }, names, kept }: CopiedImage): object {
  return { names, kept, mediaType, digest, size };
}
