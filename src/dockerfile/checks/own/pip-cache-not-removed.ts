import { fixOf, foundInRun } from '../shell/run-finding.ts';
import type { RunScript } from '../shell/run-script.ts';
import { insertWord, upTo } from '../shell/script-edits.ts';
import type { ShellCommand, ShellWord } from '../shell/script.ts';
import { isVariableSet } from '../stages/environment.ts';
import { commandsBefore, imageStages } from '../stages/lineage.ts';
import { mountsOf } from '../stages/mounts.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { FileRule, Subject, SubjectStage } from '../subject.ts';

const options = /^--(?:no-cache-dir|cache-dir(?:=.*)?|no-index|no-deps|dry-run|help)$/;

export const pipCacheNotRemoved: FileRule = {
  name: 'PipCacheNotRemoved',
  description: 'pip should leave no cache in the layer',
  url: 'docs/checks/pip-cache-not-removed.md',
  *find(subject) {
    for (const stage of imageStages(subject)) {
      for (const run of scriptsOf(subject, stage)) {
        if (!run.certain || isHandled(subject, stage, run)) continue;
        for (const command of run.commands) {
          const verb = pipInstall(command);
          if (verb === undefined) continue;
          yield foundInRun(run, upTo(command, verb), {
            message: 'What pip downloads stays in the layer, in ~/.cache/pip',
            fix: fixOf('write --no-cache-dir', [insertWord(run, verb, '--no-cache-dir')]),
          });
        }
      }
    }
  },
};

/** The `install` of `pip install …` or `python3 -m pip install …`. */
function pipInstall({ name, words, assignments }: ShellCommand): ShellWord | undefined {
  const own = /^python[\d.]*$/.test(name) ? words.slice(words[1]?.text === '-m' ? 2 : words.length) : words;
  const [program, ...rest] = own;
  if (program === undefined || !/^(?:.*\/)?pip[\d.]*$/.test(program.text) || program.expands) return undefined;
  if (rest.some(({ text }) => options.test(text)) || assignments.some(({ text }) => isSwitch(text))) return undefined;
  const verb = rest.find(({ text }) => !text.startsWith('-'));
  return verb?.text === 'install' ? verb : undefined;
}

function isSwitch(text: string): boolean {
  return /PIP_(?:NO_CACHE_DIR|CACHE_DIR|NO_INDEX)=/.test(text);
}

/** Whether the cache is off, stays out of the layer, or is removed at once. */
function isHandled(subject: Subject, stage: SubjectStage, { command, instruction, commands }: RunScript): boolean {
  const line = instruction.range.start;
  const isSet = ['PIP_NO_CACHE_DIR', 'PIP_CACHE_DIR', 'XDG_CACHE_HOME'].some((name) =>
    isVariableSet(subject, stage, { name, line }),
  );
  if (isSet || mountsOf(command).some(({ target, type }) => type !== 'bind' && /cache|pip|^\/root$/.test(target)))
    return true;
  if (commands.some(removesCache)) return true;
  return commandsBefore(subject, stage, line + 1).some(({ instruction: { line: text, heredocs } }) =>
    [text, ...heredocs.map(({ content }) => content)].some((each) =>
      /no-cache-dir\s*=\s*(?:true|1|yes|on)\b|config\s.*no-cache-dir|pip\.conf/.test(each),
    ),
  );
}

function removesCache({ name, words, assignments }: ShellCommand): boolean {
  if (assignments.some(({ text }) => isSwitch(text)) && words.length === 0) return true;
  if (name === 'export') return words.some(({ text }) => isSwitch(text));
  if (name === 'rm' || name === 'find' || name === '')
    return words.some(({ text }) => /\.cache|\/root\/\*|^\/root\/\.\*/.test(text));
  return name.startsWith('pip') ? words[1]?.text === 'cache' : /clean/i.test(name);
}
