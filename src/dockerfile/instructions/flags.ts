import { DockerfileError, inPart } from '../error.ts';
import { didYouMean } from '../suggest.ts';
import { cut } from '../text.ts';

/** The flags that an instruction knows. */
export type FlagKinds = Readonly<Record<string, 'boolean' | 'text' | 'list'>>;

export interface Flags {
  /** Value of a text flag, empty where it is not given. */
  text(name: string): string;
  /** Undefined where it is not given. */
  boolean(name: string): boolean | undefined;
  /** Its values, of a text flag one at most; empty where it is not given. */
  list(name: string): readonly string[];
  /** Reads each value of a list, with its number among all flags; an error of `read` names the flag. */
  map<T>(name: string, read: (value: string, flag: number) => T): T[];
}

/**
 * Reads `--name=value` words against the flags that are known.
 * @throws DockerfileError INVALID_FLAG
 */
export function readFlags(words: readonly string[], kinds: FlagKinds): Flags {
  const values = new Map<string, { readonly value: string; readonly index: number }[]>();
  for (const [index, word] of words.entries()) {
    inPart({ flag: index }, () => {
      const [flag, value] = cut(word, '=') ?? [word, undefined];
      const name = flag.slice(2);
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      if (kind === undefined) throw invalid(`unknown flag: ${flag}${didYouMean(name, Object.keys(kinds))}`);
      const before = values.get(name) ?? [];
      if (kind !== 'list' && before.length > 0) throw invalid(`duplicate flag specified: ${flag}`);
      before.push({ value: readValue(flag, value, kind), index });
      values.set(name, before);
    });
  }
  return {
    text: (name) => values.get(name)?.[0]?.value ?? '',
    boolean: (name) => (values.has(name) ? values.get(name)?.[0]?.value === 'true' : undefined),
    list: (name) => (values.get(name) ?? []).map(({ value }) => value),
    map: (name, read) =>
      (values.get(name) ?? []).map(({ value, index }) => inPart({ flag: index }, () => read(value, index))),
  };
}

function readValue(flag: string, value: string | undefined, kind: 'boolean' | 'text' | 'list'): string {
  if (kind !== 'boolean') {
    if (value === undefined)
      throw invalid(`missing a value on flag: ${flag}`, `it is written ${flag}=VALUE, without blanks`);
    return value;
  }
  if (value === undefined) return 'true';
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower;
  throw invalid(
    value === '' ? `missing a value on flag: ${flag}` : `expecting boolean value for flag ${flag}, not: ${value}`,
  );
}

function invalid(message: string, hint?: string): DockerfileError {
  return new DockerfileError('INVALID_FLAG', message, { hint });
}
