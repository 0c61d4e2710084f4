import type { Fix } from '../finding.ts';
import { inCase } from '../keyword-case.ts';
import type { FixContext } from './fix-context.ts';

/** The stage's name as it is looked up. */
export function fixStageNameCasing({ positions, instruction }: FixContext): Fix | undefined {
  const name = instruction.args[2];
  if (name === undefined || name === name.toLowerCase()) return undefined;
  const { span } = positions.find(instruction.range, { arg: 2 });
  const text = name.toLowerCase();
  return { title: `write ${text}`, edits: [{ ...span, text }] };
}

/** Keyword, and AS, in the case of the other instructions; a trigger's keyword has its own case. */
export function fixKeywordCasing({ facts, positions, instruction }: FixContext): Fix | undefined {
  const { name, args, range } = instruction;
  const turn = (word: string) => inCase(word, facts.keywordCase);
  const [, as] = args;
  const words = [{ word: name, part: {} }];
  if (as !== undefined && name.toLowerCase() === 'from') words.push({ word: as, part: { arg: 1 } });
  const edits = words
    .filter(({ word }) => turn(word) !== word)
    .map(({ word, part }) => ({ ...positions.find(range, part).span, text: turn(word) }));
  return edits.length === 0 ? undefined : { title: `write ${edits.map(({ text }) => text).join(' and ')}`, edits };
}
