import { readFile } from 'node:fs/promises';
import { messageOf } from '../../../errors.ts';
import { RegistryError } from '../../error.ts';
import type { AccessAction } from '../endpoints.ts';
import { matchesGlob, parseGlob } from '../faults/glob.ts';

/** Whether somebody may do something; `user` is undefined for who has not logged in, `repository` empty for what is of none. */
export type Access = (user: string | undefined, action: AccessAction, repository: string) => boolean;

/** What holds without a list: users may do everything, others nothing, or pull. */
export function plainAccess({ anonymousPull }: { readonly anonymousPull: boolean }): Access {
  return (user, action) => user !== undefined || (anonymousPull && action === 'pull');
}

interface AccessRule {
  /** A user's name, `@users` for all of them, `*` for everybody. */
  readonly who: string;
  readonly actions: readonly string[];
  /** With `*` for any text and `{user}` for the user's own name. */
  readonly pattern: string;
}

const actionNames = ['pull', 'push', 'delete', 'catalog', 'metrics', '*'];
const mostRules = 10_000;

/**
 * An access list: `WHO WHAT REPOSITORIES` a line, such as `ann pull,push shop/*`, `@users push {user}/*`, `* pull public/*`.
 * What no line allows is refused.
 * @throws RegistryError CONFIG with the line
 */
export function parseAccessList(text: string, file: string): Access {
  const rules = text
    .split(/\r?\n/)
    .map((line, at) => parseRule(line.replace(/(?:^|\s)#.*$/, '').trim(), `line ${at + 1} of ${file}`))
    .filter((rule) => rule !== undefined);
  if (rules.length > mostRules) throw new RegistryError('CONFIG', `${file} has more than ${mostRules} rules`);
  return (user, action, repository) =>
    action === 'none' || rules.some((rule) => allows(rule, user, action) && covers(rule, user, repository));
}

function parseRule(line: string, place: string): AccessRule | undefined {
  if (line === '') return undefined;
  const [who = '', what = '', pattern = '*', ...more] = line.split(/\s+/);
  const actions = what.split(',');
  const unknown = actions.find((action) => !actionNames.includes(action));
  if (unknown === undefined && more.length === 0) return { who, actions, pattern };
  const why = unknown === undefined ? 'it has more than three words' : `'${unknown}' is nothing that can be allowed`;
  throw new RegistryError('CONFIG', `${place} cannot be used: ${why}`, {
    hint: `A rule is WHO ${actionNames.slice(0, -1).join('|')}|* REPOSITORIES, such as: ann pull,push shop/*`,
  });
}

function allows({ who, actions }: AccessRule, user: string | undefined, action: AccessAction): boolean {
  const isMeant = who === '*' || (user !== undefined && (who === '@users' || who === user));
  return isMeant && (actions.includes(action) || actions.includes('*'));
}

function covers({ pattern }: AccessRule, user: string | undefined, repository: string): boolean {
  if (repository === '') return true;
  if (!pattern.includes('{user}')) return matchesGlob(parseGlob(pattern), repository);
  // A name with a star in it must not become a pattern.
  if (user === undefined || user.includes('*')) return false;
  return matchesGlob(parseGlob(pattern.replaceAll('{user}', user)), repository);
}

/** @throws RegistryError CONFIG */
export async function readAccessList(file: string): Promise<Access> {
  try {
    return parseAccessList(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    throw new RegistryError('CONFIG', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
