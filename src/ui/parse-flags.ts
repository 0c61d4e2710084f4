import { UsageError } from '../errors.ts';
import { type FlagDefinition, FlagSet } from './flag-set.ts';

/** One positional of a command, as declared. */
export interface ArgDefinition {
  readonly required?: boolean | undefined;
  readonly multiple?: boolean | undefined;
  readonly default?: unknown;
}

export interface CommandSyntax {
  readonly flags: Readonly<Record<string, FlagDefinition>>;
  readonly args: Readonly<Record<string, ArgDefinition>>;
  /** False: any number of arguments beyond those declared. */
  readonly strict: boolean;
  /** Everything after the first argument belongs to another program (`run IMAGE sh -c …`). */
  readonly passThrough: boolean;
}

export interface ParsedLine {
  readonly flags: Record<string, unknown>;
  readonly args: Record<string, unknown>;
  /** All positionals in order. */
  readonly argv: string[];
}

/**
 * Reads a command line as docker does: flags anywhere unless the command passes arguments through, grouped shorts (`-it`,
 * `-fPATH`), `--flag=value` also for switches, the last of a repeated flag wins, values may look like flags, standard input is
 * never read.
 * @throws UsageError worded as docker words it
 */
export async function parseLine(argv: readonly string[], syntax: CommandSyntax): Promise<ParsedLine> {
  const flags = new FlagSet(syntax.flags);
  const positionals = readWords(argv, flags, syntax.passThrough);
  return { flags: await flags.values(), args: assignArgs(positionals, syntax), argv: positionals };
}

function readWords(argv: readonly string[], flags: FlagSet, passThrough: boolean): string[] {
  const positionals: string[] = [];
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') return [...positionals, ...words];
    if (word.startsWith('--')) {
      readLong(word, words, flags);
    } else if (word.startsWith('-') && word !== '-') {
      readShorts(word, words, flags);
    } else {
      positionals.push(word);
      if (passThrough) return [...positionals, ...words];
    }
  }
  return positionals;
}

function readLong(word: string, words: string[], flags: FlagSet): void {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals === -1 ? undefined : equals);
  const inline = equals === -1 ? undefined : word.slice(equals + 1);
  const flag = flags.byName(name);
  if (flag === undefined) throw new UsageError(`unknown flag: --${name}`);
  if (flag.definition.type === 'boolean') {
    flags.setSwitch(flag, inline ?? 'true', `--${name}`);
    return;
  }
  const value = inline ?? words.shift();
  if (value === undefined) throw new UsageError(`flag needs an argument: --${name}`);
  flags.setValue(flag, value);
}

function readShorts(word: string, words: string[], flags: FlagSet): void {
  for (let rest = word.slice(1); rest !== ''; rest = rest.slice(1)) {
    const letter = rest.slice(0, 1);
    const flag = flags.byLetter(letter);
    if (flag === undefined) throw new UsageError(`unknown shorthand flag: '${letter}' in ${word}`);
    const tail = rest.slice(1);
    if (flag.definition.type === 'boolean') {
      if (!tail.startsWith('=')) {
        flags.setSwitch(flag, 'true', `-${letter}`);
        continue;
      }
      flags.setSwitch(flag, tail.slice(1), `-${letter}`);
      return;
    }
    const value = tail === '' ? words.shift() : tail.replace(/^=/, '');
    if (value === undefined) throw new UsageError(`flag needs an argument: '${letter}' in ${word}`);
    flags.setValue(flag, value);
    return;
  }
}

function assignArgs(positionals: readonly string[], { args, strict }: CommandSyntax): Record<string, unknown> {
  const entries = Object.entries(args);
  const least = entries.filter(([, arg]) => arg.required === true).length;
  const most = !strict || entries.some(([, arg]) => arg.multiple === true) ? undefined : entries.length;
  checkCount(positionals.length, least, most);
  const result: Record<string, unknown> = {};
  let position = 0;
  for (const [index, [name, arg]] of entries.entries()) {
    if (arg.multiple === true) {
      // What follows a list takes its words from the end (`SOURCE... TARGET`).
      const end = positionals.length - (entries.length - index - 1);
      result[name] = positionals.slice(position, Math.max(position, end));
      position = Math.max(position, end);
    } else {
      const value = positionals[position] ?? (typeof arg.default === 'string' ? arg.default : undefined);
      if (value !== undefined) result[name] = value;
      position += 1;
    }
  }
  return result;
}

function checkCount(count: number, least: number, most: number | undefined): void {
  if (count >= least && (most === undefined || count <= most)) return;
  const noun = (number: number): string => `${number} argument${number === 1 ? '' : 's'}`;
  if (most === 0) throw new UsageError('accepts no arguments');
  if (most === undefined) throw new UsageError(`requires at least ${noun(least)}`);
  if (least === most) throw new UsageError(`requires ${noun(least)}`);
  throw new UsageError(count < least ? `requires at least ${noun(least)}` : `requires at most ${noun(most)}`);
}
