import { scriptsByCommand } from '../stages/stage-scripts.ts';
import { mountsOf } from '../stages/mounts.ts';
import type { RunScript } from '../shell/run-script.ts';
import type { FileRule, Subject, SubjectCommand, SubjectStage } from '../subject.ts';
import { type DependencyInstall, dependencyInstall } from './dependency-install.ts';

export const copyBeforeDependencyInstall: FileRule = {
  name: 'CopyBeforeDependencyInstall',
  description: 'Dependencies should be installed before the whole context is copied',
  url: 'docs/checks/copy-before-dependency-install.md',
  *find(subject) {
    /** By stage: programs that have installed something when it is done. */
    const doneAtEnd: ReadonlySet<string>[] = [];
    for (const stage of subject.stages) {
      const { base } = stage;
      const done = new Set(base.kind === 'stage' ? doneAtEnd[base.index] : []);
      doneAtEnd.push(done);
      const found = firstInstall(subject, stage, done);
      if (found === undefined) continue;
      const { copy, install, line } = found;
      yield {
        message: `Every change of any file repeats ${install.title} in line ${line}; copy ${install.manifest} first`,
        range: copy.instruction.range,
        comments: copy.instruction.comments,
        part: { arg: 0 },
      };
    }
  },
};

function isWholeContext({ command }: SubjectCommand): boolean {
  if (command.kind !== 'copy' && command.kind !== 'add') return false;
  return command.from === '' && command.sources.some((source) => /^(?:\.|\.\/|\/|\*|\.\/\*)$/.test(source));
}

interface Found {
  readonly copy: SubjectCommand;
  readonly install: DependencyInstall;
  readonly line: number;
}

/** The first installation behind a copy of everything by a program that had not been there before; `done` gets them all. */
function firstInstall(subject: Subject, stage: SubjectStage, done: Set<string>): Found | undefined {
  const scripts = scriptsByCommand(subject, stage);
  const here = new Set<string>();
  let copy: SubjectCommand | undefined;
  let found: Found | undefined;
  for (const each of stage.commands) {
    if (isWholeContext(each)) copy ??= each;
    const run = scripts.get(each.command);
    for (const command of run?.commands ?? []) {
      const install = dependencyInstall(command);
      if (run === undefined || install === undefined || done.has(command.name)) continue;
      if (copy !== undefined && !here.has(command.name) && !isCached(run)) {
        found ??= { copy, install, line: each.instruction.range.start };
      }
      here.add(command.name);
    }
  }
  for (const name of here) done.add(name);
  return found;
}

/** A cache mount makes the repetition cheap. */
function isCached({ command }: RunScript): boolean {
  return mountsOf(command).some(({ type }) => type === 'cache');
}
