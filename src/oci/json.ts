import { OciError, type OciErrorCode } from './error.ts';

/** Largest manifest, index or config that is read, in bytes (reference figures: regctl 8 MiB, the specification asks for at least 4). */
export const maxDocumentSize = 8 * 1024 * 1024;

/** An object as JSON.parse gives it: nothing is known of its fields. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses a JSON object from bytes that may be hostile: bounded size, valid UTF-8, an object at the top.
 * @throws OciError TOO_LARGE, or `code`
 */
export function parseJsonObject(bytes: Uint8Array, what: string, code: OciErrorCode): JsonObject {
  if (bytes.byteLength > maxDocumentSize) {
    throw new OciError('TOO_LARGE', `${what} has ${bytes.byteLength} bytes, the limit is ${maxDocumentSize}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new OciError(code, `${what} is not valid JSON`, { cause });
  }
  if (!isObject(value)) throw new OciError(code, `${what} is not a JSON object`);
  return value;
}

/** Whether parsed JSON is an object, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads members of one JSON object and names the place in errors (`layers[3].size`). `null` counts as absent, since Go
 * writes nil that way.
 */
export class Members {
  readonly #object: JsonObject;
  readonly #path: string;
  readonly #code: OciErrorCode;

  constructor(object: JsonObject, path: string, code: OciErrorCode) {
    this.#object = object;
    this.#path = path;
    this.#code = code;
  }

  static of(value: unknown, path: string, code: OciErrorCode): Members {
    if (!isObject(value)) throw new OciError(code, `${path} must be an object`);
    return new Members(value, path, code);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  names(): readonly string[] {
    return Object.keys(this.#object);
  }

  raw(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  fail(name: string, rule: string, cause?: unknown): never {
    throw new OciError(this.#code, `${this.#at(name)} ${rule}`, { cause });
  }

  string(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.fail(name, 'must be a string');
  }

  requiredString(name: string): string {
    return this.string(name) ?? this.fail(name, 'is missing');
  }

  boolean(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.fail(name, 'must be true or false');
  }

  /** An integer that a double holds exactly. */
  integer(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined || Number.isSafeInteger(value)) return value as number | undefined;
    return this.fail(name, 'must be an integer below 2^53');
  }

  array(name: string): readonly unknown[] | undefined {
    const value = this.raw(name);
    if (value === undefined || Array.isArray(value)) return value;
    return this.fail(name, 'must be an array');
  }

  strings(name: string): readonly string[] | undefined {
    const values = this.array(name);
    if (values === undefined || values.every((value) => typeof value === 'string')) return values;
    return this.fail(name, 'must be an array of strings');
  }

  /** A map of strings; a null value reads as the empty string, as Go has it. */
  stringMap(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) return this.fail(name, 'must be an object');
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        if (item !== null && typeof item !== 'string') this.fail(`${name}[${JSON.stringify(key)}]`, 'must be a string');
        return [key, item ?? ''];
      }),
    );
  }

  /** The names of a map used as a set (`{"80/tcp": {}}`), sorted. */
  nameSet(name: string): readonly string[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) return this.fail(name, 'must be an object');
    return Object.keys(value).toSorted();
  }

  members(name: string): Members | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : Members.of(value, this.#at(name), this.#code);
  }

  list(name: string): readonly Members[] | undefined {
    return this.array(name)?.map((value, at) => Members.of(value, `${this.#at(name)}[${at}]`, this.#code));
  }

  /** Members other than `known`, as they are; undefined where there are none. */
  others(known: ReadonlySet<string>): JsonObject | undefined {
    const entries = Object.entries(this.#object).filter(([name]) => !known.has(name));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}

/** An object without its undefined members, as exact optional types want it. */
export function compact<T extends object>(object: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** A copy with its names in order: Go sorts maps, and so written documents are the same for the same content. */
export function sortedMap<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON text as Go's encoder writes it, so that the same document from docker or BuildKit has the same digest. */
export function toJsonBytes(value: unknown, indent?: number): Buffer {
  const text = JSON.stringify(value, undefined, indent).replace(/[<>&\u2028\u2029]/g, escapeUnit);
  return Buffer.from(text, 'utf8');
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
