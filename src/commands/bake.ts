import { string as argument } from '@oclif/core/args';
import type { InferredFlags } from '@oclif/core/interfaces';
import {
  type BakeSelection,
  type BuildEvent,
  type KnownSecrets,
  loadDefinition,
  lookupIn,
  parallelismOf,
  printable,
  selectTargets,
  Workshop,
} from '../build/index.ts';
import { UsageError } from '../errors.ts';
import {
  bakeFlags,
  bakeTargets,
  buildProgress,
  type Allowed,
  checkAllowed,
  drained,
  filesOf,
  listDefinition,
  listingOf,
  overridesOf,
  parseAllowed,
  progressFlags,
  refuseRemote,
  registryFlags,
  StoreCommand,
  variablesOf,
  whileShown,
  withEpoch,
  worksOf,
  writeBakeMetadata,
  writtenPaths,
} from '../ui/index.ts';

export default class Bake extends StoreCommand {
  static override summary = 'Build the targets of a definition in HCL, JSON or a compose file';
  static override ownsFiles = true;
  static override strict = false;
  static override args = {
    target: argument({ multiple: true, description: 'Targets or groups, default unless given' }),
  };
  static override flags = { ...bakeFlags, ...progressFlags, ...registryFlags };

  /** To show a definition needs neither store nor user namespace. */
  protected override async ownsFiles(): Promise<boolean> {
    const { flags } = await this.parse(Bake);
    return !flags.print && flags.list === undefined;
  }

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(Bake);
    const names = argv as readonly string[];
    refuseRemote(names);
    if (flags.print && flags.list !== undefined) throw new UsageError('--print and --list are mutually exclusive');
    const options = {
      files: filesOf(flags.file, process.env),
      stdin: process.stdin,
      environment: process.env,
      variables: variablesOf(flags.var),
    };
    const definition = await loadDefinition(options);
    for (const warning of definition.warnings) this.note(`WARNING: ${warning}`);
    if (flags.list !== undefined) {
      this.print(listDefinition(definition, listingOf(flags.list)));
      return;
    }
    const overrides = overridesOf(flags);
    const chosen = selectTargets(definition, { names, overrides, lookup: lookupIn(options) });
    const selection = withEpoch(chosen, process.env['SOURCE_DATE_EPOCH']);
    if (flags.print) {
      this.printJson(printable(selection));
      return;
    }
    await this.#bake(selection, flags, parseAllowed(flags.allow ?? [], writtenPaths(overrides)));
  }

  async #bake(selection: BakeSelection, flags: InferredFlags<typeof Bake.flags>, allowed: Allowed): Promise<void> {
    const call = flags.check ? 'check' : flags.call;
    const { works, warnings } = await worksOf(selection, { ...flags, call });
    checkAllowed(
      works.map(({ job }) => job),
      allowed,
      process.env,
    );
    for (const warning of warnings) this.note(`WARNING: ${warning}`);
    await using workshop = new Workshop(this.privileges, parallelismOf(flags['max-parallelism']));
    const progress = buildProgress(
      { ...flags, quiet: false },
      { context: '-', file: undefined, stream: process.stderr },
    );
    const open = this.registries(flags);
    const { results, text, exitCode } = await whileShown(progress, () =>
      this.withStore(
        (store) =>
          bakeTargets(works, selection, {
            store,
            open,
            onEvent: (event: BuildEvent) => progress.event(event),
            hide: (values: KnownSecrets) => progress.hide?.(values),
            shown: () => drained(process.stderr),
            signal: this.interrupted,
            workshop,
          }),
        open,
      ),
    );
    if (flags['metadata-file'] !== undefined) await writeBakeMetadata(flags['metadata-file'], results);
    this.print(text);
    process.exitCode = exitCode;
  }
}
