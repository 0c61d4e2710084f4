import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { lockBuild } from '../build/index.ts';
import {
  jsonFlag,
  lockChangeLines,
  registryFlags,
  requestFlags,
  requestOf,
  StoreCommand,
  writeWholeFile,
} from '../ui/index.ts';

export default class Lock extends StoreCommand {
  static override summary = 'Pin what a build is made of: digests of images, commits, checksums of downloads';
  static override description =
    `Writes a lock file that \`build --locked\` uses: a source policy as BuildKit reads it too. Pins that are there stay,
unless \`--update\` asks for what is there now; what changed is told. Give the flags of the build, since they decide what it reads.`;
  static override args = { context: argument({ required: true, description: 'A folder, or what else build takes' }) };
  static override flags = {
    ...requestFlags,
    ...registryFlags,
    update: boolean({ description: 'Move every pin to what its source is now', default: false }),
    check: boolean({ description: 'Write nothing; end with 1 where the lock file would change', default: false }),
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Lock);
    const request = requestOf(flags, args.context, process.stdin);
    const open = this.registries(flags);
    const lock = await this.withStore(
      (store) =>
        lockBuild(request, {
          store,
          open,
          onEvent: () => {},
          platforms: request.platforms,
          update: flags.update,
          signal: this.interrupted,
        }),
      open,
    );
    const { path, text, changes } = lock;
    if (flags.json) this.printJson({ path, changes });
    else this.print(lockChangeLines(path, changes));
    if (changes.length === 0) return;
    if (flags.check) process.exitCode = 1;
    else await writeWholeFile(path, text);
  }
}
