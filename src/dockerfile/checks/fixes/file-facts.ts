import type { Ast, Instruction } from '../../ast.ts';
import { type KeywordCase, keywordCaseOf } from '../keyword-case.ts';
import { namesWindows } from '../stages/windows.ts';

/** What of a whole file its fixes ask for, found once: there may be as many findings as instructions. */
export class FileFacts {
  /** The case in which most instructions are written, ARGs before the first FROM not counted; upper case in a draw. */
  readonly keywordCase: KeywordCase;
  /** Whether a stage may be one of Windows, where cmd is the shell. */
  readonly mayBeWindows: boolean;
  /** By instruction that has empty lines within: the last of its continued lines. */
  readonly emptyContinuations: ReadonlyMap<Instruction, number>;
  /** By instruction: what is said in its stage. */
  readonly #keywords = new Map<Instruction, ReadonlySet<string>>();
  /** Of the instruction that was asked about last. */
  #places: { readonly instruction: Instruction; readonly byText: ReadonlyMap<string, readonly number[]> } | undefined;

  constructor({ instructions, notes, escape }: Ast) {
    const first = instructions.findIndex(isFrom);
    this.keywordCase = keywordCaseOf(instructions.slice(Math.max(first, 0)).map(({ name }) => name));
    this.mayBeWindows = escape === '`' || instructions.some((each) => isFrom(each) && namesWindows(each.args[0] ?? ''));
    this.emptyContinuations = linesOf(notes, instructions);
    let keywords = new Set<string>();
    for (const instruction of instructions) {
      if (isFrom(instruction)) keywords = new Set();
      keywords.add(instruction.name.toLowerCase());
      this.#keywords.set(instruction, keywords);
    }
  }

  /** Whether the stage of an instruction has one of that kind (lower case). */
  stageHas(instruction: Instruction, keyword: string): boolean {
    return this.#keywords.get(instruction)?.has(keyword) === true;
  }

  /** Numbers of the arguments that are just this text. */
  placesOf(instruction: Instruction, text: string): readonly number[] {
    if (this.#places?.instruction !== instruction) {
      const { args } = instruction;
      this.#places = { instruction, byText: Map.groupBy(args.keys(), (index) => args[index] ?? '') };
    }
    return this.#places.byText.get(text) ?? [];
  }
}

/** Both are in the order of the file. */
function linesOf(notes: Ast['notes'], instructions: readonly Instruction[]): Map<Instruction, number> {
  const found = new Map<Instruction, number>();
  let next = 0;
  for (const instruction of instructions) {
    const { start, end } = instruction.range;
    const line = notes[next]?.line ?? Number.POSITIVE_INFINITY;
    if (line < start || line > end) continue;
    found.set(instruction, line);
    next++;
  }
  return found;
}

function isFrom({ name }: Instruction): boolean {
  return name.toLowerCase() === 'from';
}
