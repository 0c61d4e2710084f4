import { RegistryError, type RegistryErrorOptions } from '../error.ts';

/** Where a setting was said: a file with its line where that is known, a flag or a variable by its name. */
export interface Place {
  readonly source: string;
  readonly line?: number | undefined;
}

/** `/etc/containers/registries.conf:12`. */
export function showPlace({ source, line }: Place): string {
  return line === undefined ? source : `${source}:${line}`;
}

/** What a place says cannot be meant. */
export function misconfigured(place: Place, message: string, options: RegistryErrorOptions = {}): RegistryError {
  return new RegistryError('CONFIG', `${showPlace(place)}: ${message}`, options);
}

/** Outside text in a message: quoted, and not longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
}
