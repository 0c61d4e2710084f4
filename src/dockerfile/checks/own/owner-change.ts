import type { ShellCommand } from '../shell/script.ts';
import { absolute } from './made-files.ts';

/** What a chown or chmod does. */
export interface OwnerChange {
  /** COPY's flag that does the same. */
  readonly flag: 'chown' | 'chmod';
  readonly value: string;
  /** Whether COPY's flag takes the value as it is. */
  readonly isLiteral: boolean;
  /** Whether it is a mode in numbers, which sets all of it. */
  readonly isOctal: boolean;
  readonly recursive: boolean;
  /** Absolute. */
  readonly paths: readonly string[];
}

/** Reads a chown or chmod; undefined where it has other options, or a path that only a run can tell. */
export function ownerChange(
  { name, words, redirects, prefix }: ShellCommand,
  folder: string | undefined,
): OwnerChange | undefined {
  if ((name !== 'chown' && name !== 'chmod') || redirects.length > 0 || prefix.length > 0) return undefined;
  const options = words.slice(1).filter(({ text }) => /^-[a-zA-Z-]/.test(text) && !/^-[rwxXst]+$/.test(text));
  const [value, ...targets] = words.slice(1).filter((word) => !options.includes(word));
  if (value === undefined || targets.length === 0) return undefined;
  if (!options.every(({ text }) => /^-[RvfcH]+$|^--recursive$/.test(text))) return undefined;
  const paths = targets.map((target) => (/[*?[{]/.test(target.text) ? undefined : absolute(folder, target)));
  const known = paths
    .filter((path) => path !== undefined)
    .map((path) => (path.length > 1 ? path.replace(/\/$/, '') : path));
  if (known.length < paths.length) return undefined;
  const isOctal = /^[0-7]{3,4}$/.test(value.text);
  return {
    flag: name,
    value: value.text,
    isLiteral: name === 'chown' ? /^[\w-]+(?::[\w-]+)?$/.test(value.text) : isOctal,
    isOctal,
    recursive: options.some(({ text }) => /^-[a-zA-Z]*R|^--recursive$/.test(text)),
    paths: known,
  };
}
