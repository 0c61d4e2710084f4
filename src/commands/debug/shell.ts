import { string as argument } from '@oclif/core/args';
import { type BuildEvent, enterStep, keptStep } from '../../build/index.ts';
import { isolationFlag, listFlag, parseEntitlements, StoreCommand } from '../../ui/index.ts';

export default class DebugShell extends StoreCommand {
  static override summary = 'Open a shell in a failed step that was kept';
  static override ownsFiles = true;
  static override passThrough = true;
  static override args = {
    id: argument({ required: true, description: 'Id of a kept step' }),
    command: argument({ multiple: true, description: 'Command to run in place of a shell' }),
  };
  static override flags = {
    isolation: isolationFlag,
    allow: listFlag({ description: 'Allow network.host or security.insecure to the step', helpValue: 'ENTITLEMENT' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(DebugShell);
    const command = args.command ?? [];
    process.exitCode = await this.withStore((store) =>
      enterStep(keptStep(store, args.id), {
        store,
        isolation: flags.isolation,
        allow: parseEntitlements(flags.allow),
        command: command.length === 0 ? undefined : command,
        onEvent: (event: BuildEvent) => {
          if (event.type === 'note') this.note(event.message);
        },
        signal: this.interrupted,
      }),
    );
  }
}
