import type { Instruction } from '../ast.ts';
import { DockerfileError } from '../error.ts';
import { didYouMean } from '../suggest.ts';
import { cut, trim } from '../text.ts';
import type { Command, CommandLine, KeyValue, RunCommand } from './command.ts';
import { parseDevice } from './device.ts';
import { inlineFiles, parseCopy } from './files.ts';
import { readFlags } from './flags.ts';
import { parseHealthcheck } from './healthcheck.ts';
import { mountFrom } from './mount.ts';

/** Every instruction's keyword. */
export const keywords: readonly string[] =
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  );

/**
 * What an instruction other than FROM says, its flags and arguments checked as far as that goes without variables.
 * @throws DockerfileError UNKNOWN_INSTRUCTION, INVALID_ARGUMENT, INVALID_FLAG
 */
export function parseCommand(instruction: Instruction): Command {
  const { name, line, range, comments } = instruction;
  return { ...parseByKeyword(instruction), name, line: trim(line), range, comments } as Command;
}

type Bare<T> = T extends Command ? Omit<T, 'name' | 'line' | 'range' | 'comments'> : never;

function parseByKeyword(instruction: Instruction): Bare<Command> {
  const kind = instruction.name.toLowerCase();
  switch (kind) {
    case 'arg':
      return { kind, args: declarations(instruction) };
    case 'env':
    case 'label':
      readFlags(instruction.flags, {});
      return { kind, pairs: pairs(instruction) };
    case 'maintainer':
    case 'stopsignal':
    case 'user':
    case 'workdir':
      return { kind, value: onlyArgument(instruction) };
    case 'expose':
      return { kind, values: someArguments(instruction).toSorted() };
    case 'volume':
      return { kind, values: volumes(instruction) };
    case 'shell':
      return { kind, values: shell(instruction) };
    case 'cmd':
      readFlags(instruction.flags, {});
      return { kind, command: commandLine(instruction) };
    case 'entrypoint':
      readFlags(instruction.flags, {});
      return { kind, command: commandLine(instruction) };
    case 'healthcheck':
      return { kind, check: parseHealthcheck(instruction) };
    case 'onbuild':
      return { kind, expression: trigger(instruction) };
    case 'run':
      return run(instruction);
    case 'copy':
    case 'add':
      return parseCopy(instruction, kind);
    default:
      throw unknownInstruction(instruction.name);
  }
}

export function unknownInstruction(name: string): DockerfileError {
  const suggestion = didYouMean(name, keywords, { fold: true });
  return new DockerfileError('UNKNOWN_INSTRUCTION', `unknown instruction: ${name}${suggestion}`);
}

function declarations({ args, flags }: Instruction) {
  readFlags(flags, {});
  if (args.length === 0) throw invalid('ARG requires at least one argument');
  return args.map((arg) => {
    const [key, value] = cut(arg, '=') ?? [arg, undefined];
    if (key === '') throw invalid('ARG names can not be blank');
    return { key, value };
  });
}

function pairs({ name, args }: Instruction): KeyValue[] {
  const keyword = name.toUpperCase();
  if (args.length === 0) throw invalid(`${keyword} requires at least one argument`);
  const found: KeyValue[] = [];
  for (let index = 0; index < args.length; index += 3) {
    const key = args[index] ?? '';
    if (key === '') throw invalid(`${keyword} names can not be blank`);
    found.push({ key, value: args[index + 1] ?? '', old: args[index + 2] === '' });
  }
  return found;
}

function onlyArgument({ name, args, flags }: Instruction): string {
  const [value] = args;
  if (value === undefined || args.length > 1) {
    throw invalid(`${name.toUpperCase()} requires exactly one argument`);
  }
  readFlags(flags, {});
  return value;
}

function someArguments({ name, args, flags }: Instruction): readonly string[] {
  if (args.length === 0) throw invalid(`${name.toUpperCase()} requires at least one argument`);
  readFlags(flags, {});
  return args;
}

function volumes(instruction: Instruction): string[] {
  return someArguments(instruction).map((volume) => {
    const trimmed = trim(volume);
    if (trimmed === '') throw invalid('VOLUME specified can not be an empty string');
    return trimmed;
  });
}

function shell(instruction: Instruction): readonly string[] {
  const values = someArguments(instruction);
  if (!instruction.json) {
    throw invalid('SHELL requires the arguments to be in JSON form');
  }
  return values;
}

function commandLine({ args, json }: Instruction): CommandLine {
  return json ? { args, shell: false } : { args: [args.join(' ')], shell: true };
}

function trigger({ trigger: inner, flags, line, heredocs }: Instruction): string {
  if (inner === undefined) throw invalid('ONBUILD requires at least one argument');
  readFlags(flags, {});
  const keyword = inner.name.toUpperCase();
  if (keyword === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (keyword === 'MAINTAINER' || keyword === 'FROM') {
    throw invalid(`${keyword} isn't allowed as an ONBUILD trigger`);
  }
  const expression = line.replace(/^\s*ONBUILD\s*/i, '');
  return [expression, ...heredocs.map(({ content, name }) => content + name)].join('\n');
}

function run(instruction: Instruction): Bare<RunCommand> {
  const flags = readFlags(instruction.flags, { mount: 'list', device: 'list', network: 'text', security: 'text' });
  const mounts = flags.map('mount', (text, flag) => {
    mountFrom(text);
    return { text, flag };
  });
  const devices = flags.map('device', (text) => parseDevice(text));
  const [network = 'default'] = flags.list('network');
  if (network !== 'default' && network !== 'none' && network !== 'host') {
    throw new DockerfileError('INVALID_FLAG', `invalid network mode "${network}"`, { part: { flag: 'network' } });
  }
  const [security = 'sandbox'] = flags.list('security');
  if (security !== 'sandbox' && security !== 'insecure') {
    throw new DockerfileError('INVALID_FLAG', `security "${security}" is not valid`, { part: { flag: 'security' } });
  }
  const command = commandLine(instruction);
  return { kind: 'run', command, files: inlineFiles(instruction), mounts, devices, network, security };
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message);
}
