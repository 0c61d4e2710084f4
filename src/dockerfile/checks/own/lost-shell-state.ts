import { foundInRun } from '../shell/run-finding.ts';
import type { RunScript } from '../shell/run-script.ts';
import type { ShellCommand } from '../shell/script.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { FileRule } from '../subject.ts';

/** Commands that change the shell alone, and what does so for good. */
const remedies: Readonly<Record<string, string>> = {
  cd: 'WORKDIR stays',
  pushd: 'WORKDIR stays',
  export: 'ENV stays',
  unset: 'ENV stays',
  '': 'ENV or ARG stays',
  alias: 'a script in the PATH stays',
  set: 'SHELL stays',
  shopt: 'SHELL stays',
  umask: 'it is to be set in each RUN',
  ulimit: 'it is to be set in each RUN',
  source: 'ENV stays',
  '.': 'ENV stays',
};

export const lostShellState: FileRule = {
  name: 'LostShellState',
  description: 'A RUN should do something that outlasts its shell',
  url: 'docs/checks/lost-shell-state.md',
  *find(subject) {
    for (const stage of subject.stages) {
      for (const run of scriptsOf(subject, stage)) {
        const [first] = run.commands;
        if (first === undefined || run.form === 'exec' || !isLost(run)) continue;
        const what = first.name === '' ? 'the variable' : first.name;
        yield foundInRun(
          run,
          { start: first.start, end: run.end },
          { message: `The effect of ${what} ends with this RUN; ${remedies[first.name] ?? 'nothing stays'}` },
        );
      }
    }
  },
};

function isLost({ certain, commands }: RunScript): boolean {
  return certain && commands.every(changesShellOnly);
}

function changesShellOnly({ name, words, assignments, redirects, prefix }: ShellCommand): boolean {
  if (redirects.length > 0 || prefix.length > 0 || !Object.hasOwn(remedies, name)) return false;
  // A substitution runs a program, which may do anything.
  if ([...words, ...assignments].some(({ text }) => /[`(]/.test(text))) return false;
  if (name === '') return words.length === 0 && assignments.length > 0;
  if (name !== 'source' && name !== '.') return true;
  return /(?:\/activate|\/\.\w*(?:rc|profile))$/.test(words[1]?.text ?? '');
}
