import { string as argument } from '@oclif/core/args';
import { boolean, integer } from '@oclif/core/flags';
import { readSyncFile, type SyncedTag, syncImages, SyncMemoryFile, type SyncTask } from '../build/index.ts';
import { messageOf, UsageError } from '../errors.ts';
import {
  copyProgress,
  escapeControls,
  jsonFlag,
  listFlag,
  parsePlatforms,
  PlaceCommand,
  placesHelp,
  platformsFlag,
  quietFlag,
  registryFlags,
} from '../ui/index.ts';

export default class Sync extends PlaceCommand {
  static override summary = 'Make repositories the same as others';
  static override description =
    `With one argument, what a YAML file says; with two, all tags of SOURCE that the flags let in. ${placesHelp} What is the same already costs one HEAD a tag, which counts as no pull. Ends with 1 where something failed.`;
  static override args = {
    source: argument({ required: true, description: 'A repository or another place; or a file of them' }),
    destination: argument({ description: 'Where its images go' }),
  };
  static override flags = {
    include: listFlag({ description: 'Only tags that match; may be repeated', helpValue: 'REGEX' }),
    exclude: listFlag({ description: 'No tags that match; may be repeated', helpValue: 'REGEX' }),
    semver: listFlag({ description: 'Versions in this range; may be repeated', helpValue: 'RANGE' }),
    platform: platformsFlag,
    referrers: boolean({ description: 'Copy what refers to the images too (signatures, SBOMs)', default: false }),
    prune: boolean({ description: 'Take away tags that the source has not', default: false }),
    'skip-existing': boolean({ description: 'Leave tags that the destination has', default: false }),
    'dry-run': boolean({ description: 'Only say what would be done', default: false }),
    'keep-going': boolean({ description: 'Go on after a failure', default: false }),
    jobs: integer({ char: 'j', description: 'Tags at work at once; 4 unless given', min: 1, max: 100, helpValue: 'N' }),
    quiet: quietFlag,
    json: jsonFlag,
    ...registryFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Sync);
    const fromFile = args.destination === undefined;
    const given = ['include', 'exclude', 'semver', 'platform', 'referrers', 'prune'] as const;
    const misplaced = given.find((name) => fromFile && flags[name] !== undefined && flags[name] !== false);
    if (misplaced !== undefined)
      throw new UsageError(`--${misplaced} goes with SOURCE and DESTINATION; a file says it itself`);
    const file = fromFile ? await readSyncFile(args.source) : undefined;
    const task: SyncTask = {
      source: args.source,
      target: args.destination ?? '',
      single: false,
      tags: { include: flags.include, exclude: flags.exclude, semver: flags.semver },
      platforms: flags.platform && parsePlatforms(flags.platform),
      referrers: flags.referrers,
      prune: flags.prune,
    };
    const shown = !flags.quiet && !flags.json;
    const progress = copyProgress(shown ? 'auto' : 'quiet', 'push');
    const memory = await SyncMemoryFile.open();
    const results: SyncedTag[] = [];
    try {
      await this.withPlaces(flags, (places) =>
        syncImages(file?.tasks ?? [task], {
          ...places,
          memory,
          dryRun: flags['dry-run'],
          keepGoing: flags['keep-going'],
          skipExisting: flags['skip-existing'],
          parallel: flags.jobs ?? file?.parallel,
          signal: this.interrupted,
          onEvent: (event) => progress.event(event),
          onTag: (tag) => {
            results.push(tag);
            if (shown && tag.outcome !== 'failed') this.print(lineOf(tag));
          },
        }),
      );
    } finally {
      progress.end();
      await memory.save();
      if (flags.json) this.printJson(results.map(asJson));
    }
    this.throwAll(results.flatMap(({ outcome, error }) => (outcome === 'failed' ? [error] : [])));
  }
}

function lineOf({ target, tag, outcome, digest }: SyncedTag): string {
  return escapeControls([outcome.padEnd(6), target, tag, digest ?? ''].join('  ').trimEnd());
}

function asJson({ error, ...tag }: SyncedTag) {
  return error === undefined ? tag : { ...tag, error: messageOf(error) };
}
