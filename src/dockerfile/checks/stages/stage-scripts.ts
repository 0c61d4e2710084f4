import type { Ast } from '../../ast.ts';
import type { Subject, SubjectStage } from '../subject.ts';
import { isPosixShell, type RunScript, runScript } from '../shell/run-script.ts';
import { lineageOf } from './lineage.ts';

const known = new WeakMap<SubjectStage, readonly RunScript[]>();

/** The RUNs of a stage that a POSIX shell reads, in order; none where the image may be one of Windows. */
export function scriptsOf(subject: Subject, stage: SubjectStage): readonly RunScript[] {
  const found = known.get(stage) ?? readScripts(subject, stage);
  known.set(stage, found);
  return found;
}

function readScripts(subject: Subject, stage: SubjectStage): RunScript[] {
  const { ast, positions } = subject;
  const lineage = lineageOf(subject, stage);
  let posix = !mayBeWindows(ast, lineage[0]);
  const scripts: RunScript[] = [];
  for (const each of lineage) {
    for (const { command, instruction } of each.commands) {
      if (command.kind === 'shell') posix = isPosixShell(command.values);
      if (command.kind !== 'run' || !posix || each !== stage) continue;
      const script = runScript({ command, instruction, positions, escape: ast.escape });
      if (script !== undefined) scripts.push(script);
    }
  }
  return scripts;
}

/** A backtick as escape is written for Windows' paths. */
function mayBeWindows({ escape }: Ast, root: SubjectStage | undefined): boolean {
  if (escape === '`') return true;
  if (root?.base.kind !== 'image') return false;
  const { name, platform, config } = root.base;
  const shell = config?.config.Shell ?? [];
  return (
    platform.os === 'windows' ||
    /windows|nanoserver|servercore/i.test(name) ||
    (shell.length > 0 && !isPosixShell(shell))
  );
}
