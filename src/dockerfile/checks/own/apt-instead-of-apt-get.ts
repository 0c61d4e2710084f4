import { fixOf, foundInRun } from '../shell/run-finding.ts';
import { replaceWord, upTo } from '../shell/script-edits.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { FileRule } from '../subject.ts';
import { aptCalls } from './apt.ts';

/** What both programs can do alike. */
const shared =
  'update upgrade install reinstall remove purge autoremove clean autoclean source build-dep download'.split(' ');

export const aptInsteadOfAptGet: FileRule = {
  name: 'AptInsteadOfAptGet',
  description: 'Scripts should call apt-get, whose options and output stay as they are',
  url: 'docs/checks/apt-instead-of-apt-get.md',
  *find(subject) {
    for (const stage of subject.stages) {
      for (const run of scriptsOf(subject, stage)) {
        for (const { command, verb } of aptCalls(run)) {
          const [program] = command.words;
          if (command.name !== 'apt' || program?.text !== 'apt' || !shared.includes(verb.text)) continue;
          yield foundInRun(run, upTo(command, verb), {
            message: `apt is for people at a terminal; apt-get ${verb.text} does the same`,
            fix: fixOf('write apt-get', [replaceWord(run, program, 'apt-get')]),
          });
        }
      }
    }
  },
};
