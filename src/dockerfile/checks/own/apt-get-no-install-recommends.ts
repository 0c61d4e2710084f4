import { fixOf, foundInRun } from '../shell/run-finding.ts';
import { insertWord, upTo } from '../shell/script-edits.ts';
import type { ShellCommand } from '../shell/script.ts';
import { imageStages, textsOf } from '../stages/lineage.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { FileRule, SubjectStage } from '../subject.ts';
import { aptCalls } from './apt.ts';

export const aptGetNoInstallRecommends: FileRule = {
  name: 'AptGetNoInstallRecommends',
  description: 'apt-get install should leave out the packages that are only recommended',
  url: 'docs/checks/apt-get-no-install-recommends.md',
  *find(subject) {
    const stages = imageStages(subject);
    if (isConfigured(stages)) return;
    for (const stage of stages) {
      for (const run of scriptsOf(subject, stage)) {
        for (const { command, verb } of aptCalls(run)) {
          if (verb.text !== 'install' || saysWhich(command)) continue;
          const message = `${command.name} install also installs what its packages only recommend`;
          const fix = fixOf('write --no-install-recommends', [insertWord(run, verb, '--no-install-recommends')]);
          yield foundInRun(run, upTo(command, verb), { message, fix });
        }
      }
    }
  },
};

/** Whether the call itself says what becomes of recommended packages, or may say so in a variable. */
function saysWhich({ words }: ShellCommand): boolean {
  return words.some(
    ({ text, expands }) =>
      /^--(?:no-)?install-recommends$|^--(?:simulate|dry-run|download-only|print-uris)$|^-s$|^-d$/.test(text) ||
      /Install-Recommends/i.test(text) ||
      (expands && /opt|arg|flag/i.test(text)),
  );
}

/** Whether the file sets it once for all: a line in apt's configuration. */
function isConfigured(stages: readonly SubjectStage[]): boolean {
  const instructions = stages.flatMap(({ commands }) => commands.map(({ instruction }) => instruction));
  return instructions.some((instruction) => textsOf(instruction).some((text) => /apt::install-recommends/i.test(text)));
}
