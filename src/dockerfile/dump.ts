import { argumentForms } from './arguments.ts';
import type { Ast, Instruction } from './ast.ts';
import { quote, quoteList } from './quote.ts';

/** The instructions as s-expressions, one line each: the form of BuildKit's parser/dumper. */
export function dump(ast: Ast): string {
  return ast.instructions.map((instruction) => `(${dumpInstruction(instruction)})\n`).join('');
}

function dumpInstruction(instruction: Instruction): string {
  const name = instruction.name.toLowerCase();
  const flags = instruction.flags.length === 0 ? '' : ` ${quoteList(instruction.flags)}`;
  if (instruction.trigger !== undefined) return `${name}${flags} (${dumpInstruction(instruction.trigger)})`;
  // The arguments of an instruction that it does not know are not kept by BuildKit's parser.
  const args = argumentForms.has(name) || name === 'onbuild' ? instruction.args : [''];
  return name + flags + args.map((arg) => ` ${quote(arg)}`).join('');
}
