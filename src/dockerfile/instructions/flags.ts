import { DockerfileError } from '../error.ts';
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
}

/**
 * Reads `--name=value` words against the flags that are known.
 * @throws DockerfileError INVALID_FLAG
 */
export function readFlags(words: readonly string[], kinds: FlagKinds): Flags {
  const values = new Map<string, string[]>();
  for (const word of words) {
    const [flag, value] = cut(word, '=') ?? [word, undefined];
    const name = flag.slice(2);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw invalid(`unknown flag: ${flag}${didYouMean(name, Object.keys(kinds))}`);
    const others = values.get(name);
    if (others !== undefined && kind !== 'list') throw invalid(`duplicate flag specified: ${flag}`);
    const read = readValue(flag, value, kind);
    if (others === undefined) values.set(name, [read]);
    else others.push(read);
  }
  return {
    text: (name) => values.get(name)?.[0] ?? '',
    boolean: (name) => (values.has(name) ? values.get(name)?.[0] === 'true' : undefined),
    list: (name) => values.get(name) ?? [],
  };
}

function readValue(flag: string, value: string | undefined, kind: 'boolean' | 'text' | 'list'): string {
  if (kind !== 'boolean') {
    if (value === undefined) throw invalid(`missing a value on flag: ${flag}`);
    return value;
  }
  if (value === undefined) return 'true';
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower;
  throw invalid(
    value === '' ? `missing a value on flag: ${flag}` : `expecting boolean value for flag ${flag}, not: ${value}`,
  );
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_FLAG', message);
}
