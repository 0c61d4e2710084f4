import { string as argument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { createIndex, parseAnnotation } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import { formatPlatform, parsePlatform, type Platform } from '../../oci/index.ts';
import { copyProgress, jsonFlag, listFlag, quietFlag, registryFlags, StoreCommand } from '../../ui/index.ts';

export default class ManifestCreate extends StoreCommand {
  static override summary = 'Join images of several platforms into an index under a name';
  static override description =
    'Sources: docker://NAME[@DIGEST] for a registry, oci:PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]; a plain NAME is in the store, else in a registry; a digest alone is in the repository of NAME. A source that is an index gives all of its images. Of two for one platform the later counts.';
  static override ownsFiles = true;
  static override args = {
    name: argument({ required: true, description: 'Name of the index' }),
    sources: argument({ required: true, multiple: true, description: 'What it consists of' }),
  };
  static override flags = {
    push: boolean({ description: 'Push it to the registry of its name; else it is in the store', default: false }),
    output: string({
      char: 'o',
      description: 'Write it to another place: oci:PATH[:TAG], oci-archive:FILE[:TAG], docker://NAME',
      helpValue: 'PLACE',
    }),
    append: boolean({ description: 'Keep what the name stands for now, where no source replaces it', default: false }),
    platform: listFlag({
      char: 'p',
      description: 'Only this platform; with =SOURCE, what that source is for',
      helpValue: 'os/arch[/variant][=SOURCE]',
    }),
    annotation: listFlag({
      description: 'Add an annotation to the index, or where TYPE says',
      helpValue: '[TYPE[PLATFORM],…:]KEY=VALUE',
    }),
    'dry-run': boolean({ description: 'Show the index, and send nothing', default: false }),
    json: jsonFlag,
    ...registryFlags,
    quiet: quietFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ManifestCreate);
    if (flags.push && flags.output !== undefined) throw new UsageError('--push and --output exclude each other');
    const { wanted, given } = readPlatforms(flags.platform, args.sources);
    const annotations = (flags.annotation ?? []).flatMap((text) => parseAnnotation(text, 'index'));
    if (annotations.some(({ on }) => on === 'manifest')) {
      const hint = 'an annotation in a manifest would make another image of it; use manifest-descriptor:KEY=VALUE';
      throw new UsageError('manifests are joined as they are', { hint });
    }
    const progress = copyProgress(flags.quiet || flags['dry-run'] ? 'quiet' : 'auto', 'push');
    const open = this.registries(flags);
    const joined = await this.withStore(
      (store) =>
        createIndex(
          args.name,
          args.sources.map((text) => ({ text, platform: given.get(text) })),
          {
            store,
            open,
            push: flags.push,
            destination: flags.output,
            append: flags.append,
            dryRun: flags['dry-run'],
            platforms: wanted.length === 0 ? undefined : wanted,
            annotations,
            signal: this.interrupted,
            onWarning: (message) => this.note(`WARNING: ${message}`),
            onEvent: (event) => progress.event(event),
          },
        ).finally(() => progress.end()),
      open,
    );
    const { mediaType, digest, size } = joined.descriptor;
    if (flags['dry-run']) return this.print(joined.content.toString('utf8'));
    if (!flags.json) return this.print(digest);
    const manifests = joined.entries.map(({ descriptor, source }) => ({
      platform: descriptor.platform && formatPlatform(descriptor.platform),
      digest: descriptor.digest,
      size: descriptor.size,
      source: source.text,
    }));
    this.printJson({ name: args.name, mediaType, digest, size, manifests });
  }
}

interface Platforms {
  /** Those to keep. */
  readonly wanted: readonly Platform[];
  /** By source. */
  readonly given: ReadonlyMap<string, Platform>;
}

function readPlatforms(words: readonly string[] | undefined, sources: readonly string[]): Platforms {
  const wanted: Platform[] = [];
  const given = new Map<string, Platform>();
  for (const word of words ?? []) {
    const equals = word.indexOf('=');
    const platform = parsePlatform(equals < 0 ? word : word.slice(0, equals));
    if (equals < 0) wanted.push(platform);
    else given.set(word.slice(equals + 1), platform);
  }
  const stray = [...given.keys()].find((source) => !sources.includes(source));
  if (stray !== undefined) throw new UsageError(`--platform …=${stray}: no such source is joined`);
  return { wanted, given };
}
