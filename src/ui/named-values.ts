import { UsageError } from '../errors.ts';

export interface NamedValueOptions {
  /** Where a name without a value takes it from; a name that is not there either is left out. */
  readonly environment?: NodeJS.ProcessEnv;
  /** A name without a value gets the empty text. */
  readonly emptyAllowed?: boolean;
}

/**
 * Reads repeated `NAME=VALUE` flags; the last of a name stays.
 * @throws UsageError
 */
export function namedValues(
  flag: string,
  values: readonly string[] | undefined,
  options: NamedValueOptions = {},
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const text of values ?? []) {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === '') throw new UsageError(`invalid argument "${text}" for "--${flag}" flag: a name is missing`);
    const value =
      equals >= 0 ? text.slice(equals + 1) : options.emptyAllowed === true ? '' : options.environment?.[name];
    if (value !== undefined) found[name] = value;
    else if (options.environment === undefined)
      throw new UsageError(
        `invalid argument "${text}" for "--${flag}" flag: expected ${flag === 'build-context' ? 'NAME=VALUE' : 'KEY=VALUE'}`,
      );
  }
  return found;
}
