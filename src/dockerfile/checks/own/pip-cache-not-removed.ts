import type { Mount } from '../../instructions/mount.ts';
import { fixOf, foundInRun } from '../shell/run-finding.ts';
import type { RunScript } from '../shell/run-script.ts';
import { insertWord, upTo } from '../shell/script-edits.ts';
import type { ShellCommand, ShellWord } from '../shell/script.ts';
import { imageStages, textsOf } from '../stages/lineage.ts';
import { mountsOf } from '../stages/mounts.ts';
import { scriptsByCommand } from '../stages/stage-scripts.ts';
import type { FileRule, SubjectCommand, SubjectStage } from '../subject.ts';

const options = /^--(?:no-cache-dir|cache-dir(?:=.*)?|no-index|no-deps|dry-run|help)$/;

export const pipCacheNotRemoved: FileRule = {
  name: 'PipCacheNotRemoved',
  description: 'pip should leave no cache in the layer',
  url: 'docs/checks/pip-cache-not-removed.md',
  *find(subject) {
    for (const stage of imageStages(subject)) {
      if (isOffInBase(stage)) return;
      const scripts = scriptsByCommand(subject, stage);
      for (const each of stage.commands) {
        if (isOffBehind(each)) return;
        const run = scripts.get(each.command);
        if (run?.certain === true && !isHandled(run)) yield* installations(run);
      }
    }
  },
};

function* installations(run: RunScript) {
  for (const command of run.commands) {
    const verb = pipInstall(command);
    if (verb === undefined) continue;
    yield foundInRun(run, upTo(command, verb), {
      message: 'What pip downloads stays in the layer, in ~/.cache/pip',
      fix: fixOf('write --no-cache-dir', [insertWord(run, verb, '--no-cache-dir')]),
    });
  }
}

const variables = ['PIP_NO_CACHE_DIR', 'PIP_CACHE_DIR', 'XDG_CACHE_HOME'];

function isOffInBase({ base }: SubjectStage): boolean {
  const entries = base.kind === 'image' ? (base.config?.config.Env ?? []) : [];
  return entries.some((entry) => variables.some((name) => entry.startsWith(`${name}=`) && entry !== `${name}=`));
}

/** Whether pip keeps no cache, or another one, from this instruction on. */
function isOffBehind({ command, instruction }: SubjectCommand): boolean {
  if (command.kind === 'env') return command.pairs.some(({ key, value }) => variables.includes(key) && value !== '');
  if (command.kind === 'arg') {
    return command.args.some(({ key, value }) => variables.includes(key) && value !== undefined);
  }
  return textsOf(instruction).some((text) =>
    /no-cache-dir\s*=\s*(?:true|1|yes|on)\b|config\s.*no-cache-dir|pip\.conf/.test(text),
  );
}

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

/** Whether the cache stays out of the layer, or is off or removed in the RUN. */
function isHandled({ command, commands }: RunScript): boolean {
  return mountsOf(command).some(isOverCache) || commands.some(removesCache);
}

function isOverCache({ target, type }: Mount): boolean {
  return type !== 'bind' && /cache|pip|^\/root$/.test(target);
}

function removesCache({ name, words, assignments }: ShellCommand): boolean {
  if (assignments.some(({ text }) => isSwitch(text)) && words.length === 0) return true;
  if (name === 'export') return words.some(({ text }) => isSwitch(text));
  if (name === 'rm' || name === 'find' || name === '')
    return words.some(({ text }) => /\.cache|\/root\/\*|^\/root\/\.\*/.test(text));
  return name.startsWith('pip') ? words[1]?.text === 'cache' : /clean/i.test(name);
}
