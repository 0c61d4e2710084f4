import type { Ast, Instruction } from './ast.ts';
import { type Reporter, silent } from './checks/reporter.ts';
import { checkDescription, checkInstruction } from './checks/text-checks.ts';
import { DockerfileError } from './error.ts';
import { at, placeIn } from './place.ts';
import type { ArgCommand, Command, Stage, Stages } from './instructions/command.ts';
import { readFlags } from './instructions/flags.ts';
import { parseCommand } from './instructions/parse-command.ts';
import { quote } from './quote.ts';

/**
 * Judges every instruction by itself and groups them.
 * @throws DockerfileError UNKNOWN_INSTRUCTION, INVALID_FLAG, INVALID_ARGUMENT, EMPTY
 */
export function toStages(ast: Ast, reporter: Reporter = silent): Stages {
  const globalArgs: ArgCommand[] = [];
  const stages: (Stage & { readonly commands: Command[] })[] = [];
  for (const instruction of ast.instructions) {
    at(placeIn(ast, instruction.range, 'parse'), () => {
      checkInstruction(instruction, reporter);
      if (instruction.name.toLowerCase() === 'from') {
        stages.push({ ...parseFrom(instruction, stages.length), commands: [] });
        checkDescription(instruction, reporter);
        return;
      }
      const command = parseCommand(instruction);
      checkDescription(instruction, reporter);
      const stage = stages.at(-1);
      if (stage !== undefined) stage.commands.push(command);
      else if (command.kind === 'arg') globalArgs.push(command);
      else
        throw new DockerfileError('EMPTY', 'no build stage in current context', { hint: 'a stage begins with FROM' });
    });
  }
  if (stages.length === 0) throw new DockerfileError('EMPTY', 'dockerfile contains no stages to build');
  return { globalArgs, stages };
}

function parseFrom(instruction: Instruction, index: number): Omit<Stage, 'commands'> {
  const { args, range, comments } = instruction;
  const [base, as, written] = args;
  if (base === undefined || !(args.length === 1 || (args.length === 3 && as?.toLowerCase() === 'as'))) {
    throw new DockerfileError('INVALID_ARGUMENT', 'FROM requires either one or three arguments');
  }
  const name = written?.toLowerCase();
  if (written !== undefined && !/^[a-z][a-z0-9\-_.]*$/.test(name ?? '')) {
    throw new DockerfileError(
      'INVALID_ARGUMENT',
      `invalid name for build stage: ${quote(written)}, name can't start with a number or contain symbols`,
      { part: { arg: 2 } },
    );
  }
  const platform = readFlags(instruction.flags, { platform: 'text' }).text('platform');
  return { index, name, base, platform, keyword: instruction.name, range, comments };
}
