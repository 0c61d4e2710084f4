import { fixOf, foundInRun } from '../shell/run-finding.ts';
import type { RunScript } from '../shell/run-script.ts';
import type { ShellWord } from '../shell/script.ts';
import { imageStages } from '../stages/lineage.ts';
import { scriptsByCommand } from '../stages/stage-scripts.ts';
import type { FileRule, Subject, SubjectCommand } from '../subject.ts';
import { folderIn } from './made-files.ts';
import { type OwnerChange, ownerChange } from './owner-change.ts';
import { type Block, BlockReader, type PlacedCopy } from './copy-block.ts';

export const copyThenChown: FileRule = {
  name: 'CopyThenChown',
  description: 'Owner and mode of copied files should be set by the COPY',
  url: 'docs/checks/copy-then-chown.md',
  *find(subject) {
    const stages = imageStages(subject);
    const blocks = new BlockReader(folderIn(stages[0]?.base));
    for (const stage of stages) {
      const scripts = scriptsByCommand(subject, stage);
      for (const each of stage.commands) {
        const run = scripts.get(each.command);
        if (run !== undefined) yield* changesIn(subject, run, blocks.block);
        blocks.pass(each);
      }
    }
  },
};

function* changesIn(subject: Subject, run: RunScript, block: Block) {
  if (!run.certain) return;
  const removals = removalsIn(run);
  for (const command of run.commands) {
    const change = command.depth === 0 ? ownerChange(command, block.folder) : undefined;
    if (change === undefined) continue;
    const before = run.text.slice(0, command.start);
    const copies = change.paths.map((path) => {
      const copy = block.copies.get(path)?.find((each) => isPlacedBy(each, path, change));
      return copy !== undefined && change.recursive && block.mayName(before, path) ? undefined : copy;
    });
    const [copy] = copies;
    if (copy === undefined || copies.includes(undefined) || isRemoved(removals, change)) continue;
    const flag = `--${change.flag}${change.isLiteral ? `=${valueFor(change)}` : ''}`;
    yield foundInRun(run, command, {
      message: `${command.name} puts a second copy of the files into the image; ${copy.instruction.name.toUpperCase()} ${flag} does not`,
      fix: copies.length === 1 && copy.instruction === block.last ? toFlag(subject, run, { copy, change }) : undefined,
    });
  }
}

/** Removals in one RUN beyond which nobody looks what they are. */
const maxRemovals = 1000;

/** The words of all `rm` in a RUN. */
function removalsIn({ commands }: RunScript): readonly ShellWord[] {
  return commands.filter(({ name }) => name === 'rm').flatMap(({ words }) => words);
}

/** Whether the RUN itself removes the files in the end, so that its layer holds none. */
function isRemoved(removals: readonly ShellWord[], { paths }: OwnerChange): boolean {
  if (removals.length > maxRemovals) return true;
  return removals.some(({ text }) => paths.some((path) => path.endsWith(text.replace(/^\.\//, ''))));
}

/** A single file wherever it is; of a folder only one that holds nothing but what was copied. */
function isPlacedBy(copy: PlacedCopy, path: string, { recursive, isOctal, flag }: OwnerChange): boolean {
  if (!recursive) return copy.files.has(path);
  return copy.target === path && copy.isAlone() && (flag === 'chown' || isOctal);
}

/** Takes the RUN away, if it does nothing else, and writes the flag behind the keyword of the COPY before it. */
function toFlag(
  { ast, positions }: Subject,
  { commands, instruction }: RunScript,
  { copy, change }: { readonly copy: PlacedCopy; readonly change: OwnerChange },
) {
  if (commands.length !== 1 || !change.isLiteral || (change.recursive && !copy.isNew)) return undefined;
  if (copy.sources !== 1 || hasFlag(copy.instruction, change.flag) || needsNames(copy, change)) return undefined;
  const keyword = positions.find(copy.instruction.range).span;
  const start = positions.lineStart(instruction.range.start);
  const end = positions.lineStart(instruction.range.end + 1);
  // At the file's end the line's end before it goes too.
  const from = end === ast.source.text.length && !ast.source.text.endsWith('\n') ? start - 1 : start;
  const flag = `--${change.flag}=${valueFor(change)}`;
  return fixOf(`write ${flag} instead of the RUN`, [
    { start: keyword.end, end: keyword.end, text: ` ${flag}` },
    { start: from, end, text: '' },
  ]);
}

/** chown leaves the group of a user alone, which is root's for what was copied; COPY would take the user's own. */
function valueFor({ flag, value }: OwnerChange): string {
  return flag === 'chown' && !value.includes(':') ? `${value}:0` : value;
}

/** `--link` knows no names. */
function needsNames({ instruction }: PlacedCopy, { flag, value }: OwnerChange): boolean {
  return (
    flag === 'chown' && instruction.flags.some((each) => /^--link(?:=true)?$/i.test(each)) && !/^[\d:]+$/.test(value)
  );
}

function hasFlag({ flags }: SubjectCommand['instruction'], name: string): boolean {
  return flags.some((flag) => flag.startsWith(`--${name}=`));
}
