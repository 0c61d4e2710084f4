import type { RunCommand } from '../../instructions/command.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { Subject } from '../subject.ts';
import { aptCalls, isUpdate, readsLists } from './apt.ts';

/** What becomes of the package lists that a RUN leaves, in its stage and those that begin with it. */
export interface ListUse {
  /** Whether a RUN installs from them without fetching lists itself. */
  readonly isNeeded: boolean;
  /** The line of the next RUN that has to do with lists, if it takes them as they are. */
  readonly nextReader: number | undefined;
}

const none: ListUse = { isNeeded: false, nextReader: undefined };

/** The use of the lists behind each RUN, found from the end of the file on. */
export function listUses(subject: Subject): ReadonlyMap<RunCommand, ListUse> {
  const found = new Map<RunCommand, ListUse>();
  /** By stage: what the stages that begin with it make of its lists. */
  const byHeirs = new Map<number, ListUse>();
  for (const stage of subject.stages.toReversed()) {
    let use = byHeirs.get(stage.stage.index) ?? none;
    for (const run of scriptsOf(subject, stage).toReversed()) {
      found.set(run.command, use);
      const calls = aptCalls(run).filter((call) => isUpdate(call) || readsLists(call));
      if (calls.length === 0) continue;
      const reads = !calls.some(isUpdate);
      use = { isNeeded: use.isNeeded || reads, nextReader: reads ? run.instruction.range.start : undefined };
    }
    if (stage.base.kind !== 'stage') continue;
    const other = byHeirs.get(stage.base.index) ?? none;
    byHeirs.set(stage.base.index, {
      isNeeded: use.isNeeded || other.isNeeded,
      nextReader: use.nextReader ?? other.nextReader,
    });
  }
  return found;
}
