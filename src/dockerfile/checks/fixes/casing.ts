import type { Ast } from '../../ast.ts';
import type { Fix } from '../finding.ts';
import type { FixContext } from './fix-context.ts';

/** The stage's name as it is looked up. */
export function fixStageNameCasing({ positions, instruction }: FixContext): Fix | undefined {
  const name = instruction.args[2];
  if (name === undefined || name === name.toLowerCase()) return undefined;
  const { span } = positions.find(instruction.range, { arg: 2 });
  const text = name.toLowerCase();
  return { title: `write ${text}`, edits: [{ ...span, text }] };
}

/** FROM and AS in the case of the other instructions. */
export function fixFromAsCasing(context: FixContext): Fix | undefined {
  return recased(context, caseOf(context.ast));
}

/** The keyword in the case of the others; that of a trigger has its own case. */
export function fixInstructionCasing(context: FixContext): Fix | undefined {
  return recased(context, caseOf(context.ast));
}

type Case = 'lower' | 'upper';

/** The case in which most instructions are written, ARGs before the first FROM not counted; upper case in a draw. */
function caseOf({ instructions }: Ast): Case {
  const first = instructions.findIndex(({ name }) => name.toLowerCase() === 'from');
  const names = instructions.slice(Math.max(first, 0)).map(({ name }) => name);
  const lower = names.filter((name) => name === name.toLowerCase()).length;
  const upper = names.filter((name) => name === name.toUpperCase()).length;
  return lower > upper ? 'lower' : 'upper';
}

function recased({ positions, instruction }: FixContext, wanted: Case): Fix | undefined {
  const { name, args, range } = instruction;
  const turn = (word: string) => (wanted === 'lower' ? word.toLowerCase() : word.toUpperCase());
  const [, as] = args;
  const words = [{ word: name, part: {} }];
  if (as !== undefined && name.toLowerCase() === 'from') words.push({ word: as, part: { arg: 1 } });
  const edits = words
    .filter(({ word }) => turn(word) !== word)
    .map(({ word, part }) => ({ ...positions.find(range, part).span, text: turn(word) }));
  return edits.length === 0 ? undefined : { title: `write ${edits.map(({ text }) => text).join(' and ')}`, edits };
}
