import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { BuildHistory, storeRoot } from '../../build/index.ts';
import { buildText, jsonFlag, replay, StoreCommand, timelineFile } from '../../ui/index.ts';

export default class BuildsInspect extends StoreCommand {
  static override summary = 'Show one build: what was asked for, its steps, what came of it';
  static override args = {
    build: argument({ description: 'Its id, or the beginning of it; the newest unless given' }),
  };
  static override flags = {
    json: jsonFlag,
    timeline: string({ description: 'Draw the build as a page of HTML', helpValue: 'FILE' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BuildsInspect);
    const history = new BuildHistory(storeRoot(this.privileges));
    const record = await history.find(args.build);
    const { timeline } = flags;
    if (timeline !== undefined) {
      await replay(record, history.events(record.id), { rendererFor: (now) => timelineFile(timeline, now) });
    }
    const { process: _, ...shown } = record;
    if (flags.json) this.printJson(shown);
    else this.print(buildText(record));
  }
}
