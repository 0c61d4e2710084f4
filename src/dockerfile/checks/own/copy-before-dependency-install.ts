import { scriptsOf } from '../stages/stage-scripts.ts';
import { lineageOf } from '../stages/lineage.ts';
import { mountsOf } from '../stages/mounts.ts';
import type { RunScript } from '../shell/run-script.ts';
import type { FileRule, Subject, SubjectCommand, SubjectStage } from '../subject.ts';
import { type DependencyInstall, dependencyInstall } from './dependency-install.ts';

export const copyBeforeDependencyInstall: FileRule = {
  name: 'CopyBeforeDependencyInstall',
  description: 'Dependencies should be installed before the whole context is copied',
  url: 'docs/checks/copy-before-dependency-install.md',
  *find(subject) {
    for (const stage of subject.stages) {
      const copy = stage.commands.find(isWholeContext);
      if (copy === undefined) continue;
      const found = firstInstall(subject, stage, copy);
      if (found === undefined) continue;
      const { install, line } = found;
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

/** The first installation behind the copy, if nothing of the kind was done before it. */
function firstInstall(
  subject: Subject,
  stage: SubjectStage,
  copy: SubjectCommand,
): { readonly install: DependencyInstall; readonly line: number } | undefined {
  const before = lineageOf(subject, stage).flatMap((each) => scriptsOf(subject, each));
  const line = copy.instruction.range.start;
  const done = new Set<string>();
  for (const run of before) {
    for (const command of run.commands) {
      const install = dependencyInstall(command);
      if (install === undefined) continue;
      if (run.instruction.range.start < line) done.add(command.name);
      else if (!done.has(command.name) && !isCached(run)) return { install, line: run.instruction.range.start };
    }
  }
  return undefined;
}

/** A cache mount makes the repetition cheap. */
function isCached({ command }: RunScript): boolean {
  return mountsOf(command).some(({ type }) => type === 'cache');
}
