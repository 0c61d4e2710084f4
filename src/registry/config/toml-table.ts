import { parse, TomlError } from 'smol-toml';
import { messageOf } from '../../errors.ts';
import type { RegistryError } from '../error.ts';
import { isRecord } from '../record.ts';
import type { ConfigText } from './config-file.ts';
import { misconfigured, type Place } from './place.ts';
import { tomlLines, tomlPath } from './toml-lines.ts';

/** Nesting of arrays and inline tables; no format read here needs more than three. */
const deepest = 16;
/** Entries of one array or table: a list of ten thousand short names is read, a file made to be large is not. */
const mostEntries = 20_000;

interface Document {
  readonly path: string;
  readonly lines: ReadonlyMap<string, number>;
}

/**
 * Parses a TOML file.
 * @throws RegistryError CONFIG naming file and line
 */
export function parseToml({ path, text }: ConfigText): TomlTable {
  try {
    const value = parse(text, { maxDepth: deepest, unsafeKeyBehaviour: 'throw' });
    return new TomlTable({ path, lines: tomlLines(text) }, '', value);
  } catch (cause) {
    if (!(cause instanceof TomlError))
      throw misconfigured({ source: path }, `is not TOML: ${messageOf(cause)}`, { cause });
    // its message goes on with an excerpt, which may hold the value of a header
    const said = cause.message.split('\n', 1)[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    throw misconfigured({ source: path, line: cause.line }, `is not TOML: ${said}`);
  }
}

/** A table of a TOML file; what is read from it has the type that is asked for, or an error names its line. */
export class TomlTable {
  readonly #document: Document;
  readonly #path: string;
  readonly #value: Readonly<Record<string, unknown>>;

  constructor(document: Document, path: string, value: Readonly<Record<string, unknown>>) {
    this.#document = document;
    this.#path = path;
    this.#value = value;
  }

  get keys(): readonly string[] {
    return Object.keys(this.#value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#value, key);
  }

  /** Where this table, or a key of it, stands. */
  place(key?: string): Place {
    const { path, lines } = this.#document;
    const own = lines.get(this.#path);
    return { source: path, line: key === undefined ? own : (lines.get(tomlPath(this.#path, key)) ?? own) };
  }

  fail(key: string | undefined, message: string): RegistryError {
    return misconfigured(this.place(key), message);
  }

  string(key: string): string | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.fail(key, `${key} must be a text`);
  }

  boolean(key: string): boolean | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.fail(key, `${key} must be true or false`);
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.length <= mostEntries) {
      const texts = value.filter((item) => typeof item === 'string');
      if (texts.length === value.length) return texts;
    }
    throw this.fail(key, `${key} must be a list of texts`);
  }

  /** A text, or a list whose items are texts or lists of texts. */
  stringOrLists(key: string): readonly (string | readonly string[])[] | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'string') return [value];
    if (Array.isArray(value) && value.length <= mostEntries) {
      const items = value.filter((item) => typeof item === 'string' || isTexts(item));
      if (items.length === value.length) return items;
    }
    throw this.fail(key, `${key} must be a text, or a list of texts or of pairs of texts`);
  }

  table(key: string): TomlTable | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!isRecord(value) || value instanceof Date) throw this.fail(key, `${key} must be a table`);
    if (Object.keys(value).length > mostEntries) throw this.fail(key, `${key} has more than ${mostEntries} entries`);
    return new TomlTable(this.#document, tomlPath(this.#path, key), value);
  }

  /** The tables of an array of tables; none where there is no such key. */
  tables(key: string): readonly TomlTable[] {
    const value = this.#get(key);
    if (value === undefined) return [];
    if (!Array.isArray(value) || value.length > mostEntries || !value.every((item) => isRecord(item))) {
      throw this.fail(key, `${key} must be an array of tables, written [[${key}]]`);
    }
    const path = tomlPath(this.#path, key);
    return value.map((item, index) => new TomlTable(this.#document, tomlPath(path, index), item));
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.#value, key) ? this.#value[key] : undefined;
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
