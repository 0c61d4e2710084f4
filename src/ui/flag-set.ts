import { messageOf, UsageError } from '../errors.ts';

/** A flag as oclif's `Flags.*` declare it; the part that Slipway's commands use. */
export interface FlagDefinition {
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly charAliases?: readonly string[] | undefined;
  readonly allowNo?: boolean | undefined;
  readonly multiple?: boolean | undefined;
  /** `,`: one value may hold several. */
  readonly delimiter?: ',' | undefined;
  readonly options?: readonly string[] | undefined;
  readonly required?: boolean | undefined;
  /** Names of flags that cannot be given together with this one. */
  readonly exclusive?: readonly string[] | undefined;
  readonly env?: string | undefined;
  readonly default?: unknown;
  readonly parse?: unknown;
}

export interface FoundFlag {
  readonly name: string;
  readonly definition: FlagDefinition;
  /** True for the `--no-` form of a switch. */
  readonly negated: boolean;
}

type Parse = (input: unknown, context: unknown, definition: FlagDefinition) => unknown;

const trueWords = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const falseWords = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** The flags of one command line: what was declared, and what was given so far. */
export class FlagSet {
  readonly #definitions: Readonly<Record<string, FlagDefinition>>;
  readonly #names = new Map<string, FoundFlag>();
  readonly #letters = new Map<string, FoundFlag>();
  readonly #given = new Map<string, string[] | boolean>();

  constructor(definitions: Readonly<Record<string, FlagDefinition>>) {
    this.#definitions = definitions;
    for (const [name, definition] of Object.entries(definitions)) {
      const flag = { name, definition, negated: false };
      for (const alias of [name, ...(definition.aliases ?? [])]) {
        this.#names.set(alias, flag);
        if (definition.allowNo === true) this.#names.set(`no-${alias}`, { ...flag, negated: true });
      }
      const letters = [...(definition.char === undefined ? [] : [definition.char]), ...(definition.charAliases ?? [])];
      for (const letter of letters) this.#letters.set(letter, flag);
    }
  }

  byName(name: string): FoundFlag | undefined {
    return this.#names.get(name);
  }

  byLetter(letter: string): FoundFlag | undefined {
    return this.#letters.get(letter);
  }

  /** Sets a switch from `--flag`, `--flag=false`, `--no-flag`. */
  setSwitch(flag: FoundFlag, word: string, shown: string): void {
    if (!trueWords.has(word) && !falseWords.has(word)) {
      throw new UsageError(`invalid argument "${word}" for "${shown}" flag: expected true or false`);
    }
    this.#given.set(flag.name, trueWords.has(word) !== flag.negated);
  }

  /** Sets a flag's value: a list grows, of a scalar the last one stays. */
  setValue(flag: FoundFlag, value: string): void {
    const values = flag.definition.delimiter === ',' ? value.split(',') : [value];
    const before = this.#given.get(flag.name);
    this.#given.set(
      flag.name,
      flag.definition.multiple === true && Array.isArray(before) ? [...before, ...values] : values,
    );
  }

  /** All values, parsed and with defaults, by name; a flag that was not given and has no default is absent. */
  async values(): Promise<Record<string, unknown>> {
    const result: Record<string, unknown> = {};
    for (const [name, definition] of Object.entries(this.#definitions)) {
      const value = await this.#value(name, definition);
      if (value !== undefined) result[name] = value;
      else if (definition.required === true) throw new UsageError(`required flag "${name}" not set`);
    }
    this.#checkExclusive();
    return result;
  }

  async #value(name: string, definition: FlagDefinition): Promise<unknown> {
    const given = this.#given.get(name) ?? fromEnvironment(definition);
    if (given === undefined) {
      return typeof definition.default === 'function'
        ? ((await definition.default({})) as unknown)
        : definition.default;
    }
    if (!Array.isArray(given)) return given;
    const parsed: unknown[] = [];
    for (const input of given) parsed.push(await parseValue(name, definition, input));
    return definition.multiple === true ? parsed : parsed.at(-1);
  }

  #checkExclusive(): void {
    for (const name of this.#given.keys()) {
      for (const other of this.#definitions[name]?.exclusive ?? []) {
        if (this.#given.has(other)) throw new UsageError(`--${name} and --${other} cannot be used together`);
      }
    }
  }
}

function fromEnvironment(definition: FlagDefinition): string[] | boolean | undefined {
  const value = definition.env === undefined ? undefined : process.env[definition.env];
  if (value === undefined || value === '') return undefined;
  return definition.type === 'boolean' ? trueWords.has(value) : [value];
}

async function parseValue(name: string, definition: FlagDefinition, input: string): Promise<unknown> {
  const shown = definition.char === undefined ? `--${name}` : `-${definition.char}, --${name}`;
  if (definition.options !== undefined && !definition.options.includes(input)) {
    const choices = definition.options.join(', ');
    throw new UsageError(`invalid argument "${input}" for "${shown}" flag: expected one of ${choices}`);
  }
  if (typeof definition.parse !== 'function') return input;
  try {
    return await (definition.parse as Parse)(input, {}, definition);
  } catch (error) {
    const hint = error instanceof UsageError ? error.hint : undefined;
    throw new UsageError(`invalid argument "${input}" for "${shown}" flag: ${messageOf(error)}`, {
      cause: error,
      hint,
    });
  }
}
