import { foundInRun } from '../shell/run-finding.ts';
import type { RunScript } from '../shell/run-script.ts';
import type { ShellCommand } from '../shell/script.ts';
import { imageStages } from '../stages/lineage.ts';
import { isMountedOver } from '../stages/mounts.ts';
import { scriptsByCommand } from '../stages/stage-scripts.ts';
import type { FileRule } from '../subject.ts';
import { aptCalls, aptLists, isUpdate } from './apt.ts';
import { placedFiles } from './placed-files.ts';
import { isPlain } from './plain-add.ts';
import { absolute, downloads, folderAfter, folderIn, inFolders } from './made-files.ts';

/** Of copied files only those are worth a word that are large by their kind: packages and archives. */
const heavy = /\.(?:tar|tgz|tbz2?|txz|tzst|gz|bz2|xz|zst|zip|7z|deb|rpm|apk|whl|run|bin|iso|msi|exe|dump)$/i;

export const cleanupInLaterLayer: FileRule = {
  name: 'CleanupInLaterLayer',
  description: 'Files should be removed by the instruction that made them',
  url: 'docs/checks/cleanup-in-later-layer.md',
  *find(subject) {
    const made = new Map<string, number>();
    const stages = imageStages(subject);
    let folder = folderIn(stages[0]?.base);
    for (const stage of stages) {
      const scripts = scriptsByCommand(subject, stage);
      for (const each of stage.commands) {
        folder = folderAfter(folder, each);
        const { command, instruction } = each;
        if (command.kind === 'copy' || (command.kind === 'add' && isPlain(command))) {
          const paths = placedFiles(command, folder).filter((path) => heavy.test(path));
          for (const path of paths) made.set(path, instruction.range.start);
        }
        const run = scripts.get(command);
        if (run?.certain !== true) continue;
        yield* lateRemovals(run, folder, made);
        for (const path of leftBy(run, folder)) if (!made.has(path)) made.set(path, instruction.range.start);
      }
    }
  },
};

function* lateRemovals(run: RunScript, folder: string | undefined, made: Map<string, number>) {
  const own = new Set(madeBy(run, folder));
  for (const { command, folder: at } of inFolders(run, folder)) {
    const path = removals(command, at).find((each) => made.has(each) && !own.has(each));
    if (path === undefined) continue;
    yield foundInRun(run, command, {
      message: `${path} stays in the layer of line ${made.get(path) ?? 0}, which made it; this only hides it`,
    });
    made.delete(path);
  }
}

/** Files that a RUN makes in its layer, as far as is known. */
function madeBy(run: RunScript, folder: string | undefined): string[] {
  const found = inFolders(run, folder).flatMap(({ command, folder: at }) => downloads(command, at));
  if (aptCalls(run).some(isUpdate)) found.push(aptLists);
  return found.filter((path) => !isMountedOver(run.command, [path]));
}

/** Files that are there when it is done. */
function leftBy(run: RunScript, folder: string | undefined): string[] {
  const removed = new Set(inFolders(run, folder).flatMap(({ command, folder: at }) => removals(command, at)));
  return madeBy(run, folder).filter((path) => !removed.has(path));
}

/** Paths that a command removes; what is in a folder counts as the folder. */
function removals({ name, words }: ShellCommand, folder: string | undefined): string[] {
  if (name !== 'rm') return [];
  return words.slice(1).flatMap((word) => absolute(folder, { ...word, text: word.text.replace(/\/\*?$/, '') }) ?? []);
}
