import type { Command } from '../../instructions/command.ts';
import { isPosixShell, type RunScript, runScript } from '../shell/run-script.ts';
import type { Subject, SubjectBase, SubjectStage } from '../subject.ts';
import { namesWindows } from './windows.ts';

type Scripts = ReadonlyMap<Command, RunScript>;

const known = new WeakMap<Subject, ReadonlyMap<SubjectStage, Scripts>>();

/** The RUNs of a stage that a POSIX shell reads, in order; none where the image may be one of Windows. */
export function scriptsOf(subject: Subject, stage: SubjectStage): readonly RunScript[] {
  return [...scriptsByCommand(subject, stage).values()];
}

/** The same by their commands. */
export function scriptsByCommand(subject: Subject, stage: SubjectStage): Scripts {
  const found = known.get(subject) ?? readScripts(subject);
  known.set(subject, found);
  return found.get(stage) ?? new Map<Command, RunScript>();
}

/** Stages come after those that they begin with, whose SHELL they inherit. */
function readScripts({ ast, positions, stages }: Subject): ReadonlyMap<SubjectStage, Scripts> {
  const found = new Map<SubjectStage, Scripts>();
  const posixAtEnd: boolean[] = [];
  for (const stage of stages) {
    // A backtick as escape is written for Windows' paths.
    let posix = ast.escape === '\\' && hasPosixShell(stage.base, posixAtEnd);
    const scripts = new Map<Command, RunScript>();
    for (const { command, instruction } of stage.commands) {
      if (command.kind === 'shell') posix = isPosixShell(command.values);
      if (command.kind !== 'run' || !posix) continue;
      const script = runScript({ command, instruction, positions, escape: ast.escape });
      if (script !== undefined) scripts.set(command, script);
    }
    posixAtEnd.push(posix);
    found.set(stage, scripts);
  }
  return found;
}

function hasPosixShell(base: SubjectBase, earlier: readonly boolean[]): boolean {
  if (base.kind === 'stage') return earlier[base.index] ?? false;
  if (base.kind !== 'image') return true;
  const shell = base.config?.config.Shell ?? [];
  if (shell.length > 0 && !isPosixShell(shell)) return false;
  return base.platform.os !== 'windows' && !namesWindows(base.name);
}
