import { string as argument } from '@oclif/core/args';
import { boolean, option } from '@oclif/core/flags';
import { BuildHistory, storeRoot } from '../../build/index.ts';
import { drained, progressFor, replay, StoreCommand } from '../../ui/index.ts';

export default class BuildsLogs extends StoreCommand {
  static override summary = 'Show what a build wrote, all of it';
  static override args = {
    build: argument({ description: 'Its id, or the beginning of it; the newest unless given' }),
  };
  static override flags = {
    progress: option({
      options: ['plain', 'json', 'rawjson'] as const,
      description: 'Form of the log',
      default: 'plain',
    })(),
    explain: boolean({ description: 'Say of each step why it was not cached', default: false }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BuildsLogs);
    const history = new BuildHistory(storeRoot(this.privileges));
    const record = await history.find(args.build);
    await replay(record, history.events(record.id), {
      rendererFor: (now) => progressFor(flags.progress, process.stdout, { now, explain: flags.explain }),
      shown: () => drained(process.stdout),
    });
  }
}
