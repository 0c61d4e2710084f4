import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../../errors.ts';
import { RegistryError } from '../../error.ts';
import { isRecord } from '../../record.ts';
import { type Fault, type FaultPoint, faultPoints, type FaultRule, operations } from './fault.ts';
import { type Glob, parseGlob } from './glob.ts';

/** Bytes of a script. */
const scriptLimit = 1024 * 1024;
const mostRules = 1000;
const longestText = 64 * 1024;
const mostBytes = 2 ** 40;
const mostFiller = 64 * 1024 * 1024;
const longestDelay = 10 * 60_000;

/**
 * Reads a fault script, `{"faults":[{"on":"get-blob","times":2,"fault":"drop","at":"answer","after":65536}]}`: all that
 * it says must be understood.
 * @throws RegistryError INVALID_FAULTS naming the rule
 */
export function parseFaults(text: string): readonly FaultRule[] {
  const document = parseJson(text);
  const members = new Members(document, 'the script');
  const rules = members.take('faults');
  members.finish();
  if (!Array.isArray(rules) || rules.length > mostRules) {
    throw invalid(`"faults" must be a list of at most ${mostRules} rules`);
  }
  return rules.map((rule: unknown, at) => parseRule(new Members(rule, `rule ${at + 1}`)));
}

/** Reads a fault script from a file. @throws RegistryError INVALID_FAULTS */
export async function readFaults(path: string): Promise<readonly FaultRule[]> {
  try {
    const { size } = await stat(path);
    if (size > scriptLimit) throw invalid(`it is longer than ${scriptLimit} bytes`);
    return parseFaults(await readFile(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof RegistryError) throw cause;
    throw invalid(`${path} cannot be read: ${messageOf(cause)}`, cause);
  }
}

function parseJson(text: string): unknown {
  if (text.length > scriptLimit) throw invalid(`it is longer than ${scriptLimit} bytes`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`it is not JSON: ${messageOf(cause)}`, cause);
  }
}

function parseRule(members: Members): FaultRule {
  const named = members.take('on');
  const rule: FaultRule = {
    on: (named === undefined ? [] : Array.isArray(named) ? named : [named]).map((name: unknown) =>
      members.oneOf('on', name, [...operations, 'connection'] as const),
    ),
    method: members.text('method')?.toUpperCase(),
    path: globOf(members),
    minSize: members.number('minSize', { most: mostBytes }) ?? 0,
    skip: members.number('skip', { most: 1e9 }) ?? 0,
    times: timesOf(members),
    fault: parseFault(members),
  };
  members.finish();
  if (rule.on.includes('connection') && (rule.fault.kind !== 'drop' || rule.on.length > 1)) {
    throw members.invalid('a "connection" can only be dropped');
  }
  return rule;
}

function globOf(members: Members): Glob | undefined {
  const pattern = members.text('path');
  return pattern === undefined ? undefined : parseGlob(pattern);
}

function timesOf(members: Members): number {
  const times = members.take('times');
  if (times === 'forever') return Number.POSITIVE_INFINITY;
  return times === undefined ? 1 : members.checkNumber('times', times, { most: 1e9 });
}

type Kind = Fault['kind'];
type FaultOf<K extends Kind> = Extract<Fault, { readonly kind: K }>;

const parsers: { readonly [K in Kind]: (members: Members) => FaultOf<K> } = {
  drop: (members) => ({
    kind: 'drop',
    ...placeOf(members, faultPoints),
    how: members.oneOf('how', members.take('how') ?? 'reset', ['reset', 'end'] as const),
  }),
  stall: (members) => ({ kind: 'stall', ...placeOf(members, faultPoints) }),
  delay: (members) => ({ kind: 'delay', milliseconds: members.needNumber('milliseconds', { most: longestDelay }) }),
  status: (members) => ({
    kind: 'status',
    ...placeOf(members, ['start', 'body', 'done']),
    status: members.needNumber('status', { least: 200, most: 599 }),
    headers: members.headers('headers', 'lists'),
    body: members.text('body') ?? '',
    filler: members.number('filler', { most: mostFiller }) ?? 0,
  }),
  headers: (members) => ({
    kind: 'headers',
    set: members.headers('set', 'texts'),
    remove: members.list('remove'),
  }),
  corrupt: (members) => ({ kind: 'corrupt', offset: members.number('offset', { most: mostBytes }) ?? 0 }),
  shorten: (members) => ({ kind: 'shorten', by: members.needNumber('by', { least: 1, most: mostBytes }) }),
  lengthen: (members) => ({ kind: 'lengthen', by: members.needNumber('by', { least: 1, most: mostFiller }) }),
  encode: (members) => ({
    kind: 'encode',
    encoding: members.oneOf('encoding', members.take('encoding') ?? 'gzip', ['gzip', 'deflate', 'br', 'zstd'] as const),
  }),
  redirect: (members) => ({
    kind: 'redirect',
    to: members.needText('to'),
    status: members.number('status', { least: 300, most: 399 }) ?? 307,
  }),
  'ignore-range': () => ({ kind: 'ignore-range' }),
  'wrong-range': (members) => ({
    kind: 'wrong-range',
    shift: members.number('shift', { least: 1, most: mostBytes }) ?? 1,
  }),
  'expire-token': (members) => ({ kind: 'expire-token', challenge: members.needText('challenge') }),
  'lose-session': () => ({ kind: 'lose-session' }),
  'move-session': (members) => ({ kind: 'move-session', to: members.needText('to') }),
};

function parseFault(members: Members): Fault {
  const kinds = Object.keys(parsers) as Kind[];
  return parsers[members.oneOf('fault', members.take('fault'), kinds)](members);
}

function placeOf(members: Members, points: readonly FaultPoint[]): { readonly at: FaultPoint; readonly after: number } {
  return {
    at: members.oneOf('at', members.take('at') ?? 'start', points),
    after: members.number('after', { most: mostBytes }) ?? 0,
  };
}

interface Bounds {
  readonly least?: number;
  readonly most: number;
}

/** The members of one JSON object, each taken once; what is left was not understood. */
class Members {
  readonly #fields: Map<string, unknown>;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    this.#where = where;
    if (!isRecord(value) || Array.isArray(value)) throw this.invalid('it is not an object');
    this.#fields = new Map(Object.entries(value));
  }

  take(name: string): unknown {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return value;
  }

  finish(): void {
    const [name] = this.#fields.keys();
    if (name !== undefined) throw this.invalid(`${JSON.stringify(name.slice(0, 80))} means nothing here`);
  }

  text(name: string): string | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value.length > longestText) throw this.invalid(`"${name}" must be a text`);
    return value;
  }

  needText(name: string): string {
    const value = this.text(name);
    if (value === undefined || !/^[\x20-\x7e]+$/.test(value)) throw this.invalid(`"${name}" must be given`);
    return value;
  }

  number(name: string, bounds: Bounds): number | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : this.checkNumber(name, value, bounds);
  }

  needNumber(name: string, bounds: Bounds): number {
    return this.checkNumber(name, this.take(name), bounds);
  }

  checkNumber(name: string, value: unknown, { least = 0, most }: Bounds): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw this.invalid(`"${name}" must be a whole number from ${least} to ${most}`);
  }

  oneOf<const T extends string>(name: string, value: unknown, choices: readonly T[]): T {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.invalid(`"${name}" must be one of ${choices.join(', ')}`);
    return found;
  }

  list(name: string): readonly string[] {
    const value = this.take(name) ?? [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
      throw this.invalid(`"${name}" must be a list of texts`);
    }
    return value.map((item) => item.toLowerCase());
  }

  headers(name: string, values: 'texts'): Readonly<Record<string, string>>;
  headers(name: string, values: 'lists'): Readonly<Record<string, string | readonly string[]>>;
  headers(name: string, values: 'texts' | 'lists'): Readonly<Record<string, string | readonly string[]>> {
    const given = this.take(name) ?? {};
    if (!isRecord(given)) throw this.invalid(`"${name}" must be an object of headers`);
    const entries = Object.entries(given).map(([key, value]) => {
      const fine = isHeaderText(value) || (values === 'lists' && Array.isArray(value) && value.every(isHeaderText));
      if (!/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(key) || !fine) {
        throw this.invalid(`"${name}" has a header that cannot be sent: ${JSON.stringify(key.slice(0, 80))}`);
      }
      return [key.toLowerCase(), value as string | readonly string[]] as const;
    });
    return Object.fromEntries(entries);
  }

  invalid(why: string): RegistryError {
    return invalid(`${this.#where}: ${why}`);
  }
}

function isHeaderText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestText && /^[\x20-\x7e]*$/.test(value);
}

function invalid(why: string, cause?: unknown): RegistryError {
  return new RegistryError('INVALID_FAULTS', `this is no fault script: ${why}`, {
    cause,
    hint: 'The form of a fault script is described in docs/registries.md, "Faults on purpose".',
  });
}
