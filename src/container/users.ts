import { type Account, accountName, type Group, parseGroups, parsePasswd, requireId } from './account-files.ts';
import { ContainerError } from './error.ts';

/** Who a process is inside. */
export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, `gid` first. */
  readonly groups: readonly number[];
  /** Where HOME points. */
  readonly home: string;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Reads one of `/etc/passwd` and `/etc/group`; undefined where there is none. Called only if a name or a user needs it. */
export type AccountFile = (name: 'passwd' | 'group') => Buffer | undefined;

const largestWritten = 0x7fff_ffff; // what docker takes in USER and --chown

/**
 * USER as docker reads it (moby/sys/user): `user[:group]`, each a name or a number. A number is never looked up as a name
 * (CVE-2026-46680). Supplementary groups come from /etc/group unless a group is given. A number that passwd does not know
 * has group 0 and the home `/`.
 * @throws ContainerError USER_NOT_FOUND, USER_INVALID
 */
export function findUser(files: AccountFile, spec: string): ContainerUser {
  const { user, group } = splitSpec(spec);
  const account = findAccount(files, user === '' ? '0' : user);
  const uid = account === undefined ? parseId(user) : requireId(account.uid, `user ${user}`);
  if (group !== '') {
    const gid = findGroup(files, group);
    return { uid, gid, groups: [gid], home: homeOf(account) };
  }
  const gid = account === undefined ? 0 : requireId(account.gid, `the group of user ${user}`);
  const extra = account === undefined ? [] : groupsOf(files, account.name);
  return { uid, gid, groups: [...new Set([gid, ...extra])], home: homeOf(account) };
}

/**
 * The owner that `COPY --chown=user[:group]` names. Without a group it is the number of the user, or the user's own group
 * where a name is given (BuildKit); `:group` alone leaves the user 0.
 * @throws ContainerError USER_NOT_FOUND, USER_INVALID
 */
export function findOwner(files: AccountFile, spec: string): Owner {
  const { user, group } = splitSpec(spec);
  const owner = user === '' ? { uid: 0, gid: 0 } : findOwnerUser(files, user);
  return group === '' ? owner : { uid: owner.uid, gid: findGroup(files, group) };
}

function findOwnerUser(files: AccountFile, user: string): Owner {
  if (isNumber(user)) {
    const id = parseId(user);
    return { uid: id, gid: id };
  }
  const account = findAccount(files, user);
  return {
    uid: requireId(account?.uid, `user ${user}`),
    gid: requireId(account?.gid, `the group of user ${user}`),
  };
}

function splitSpec(spec: string): { readonly user: string; readonly group: string } {
  const [user = '', group = '', ...rest] = spec.split(':');
  if (rest.length > 0) throw new ContainerError('USER_INVALID', `user ${JSON.stringify(spec)} has more than one colon`);
  return { user, group };
}

/** undefined only for a number that passwd does not know; the first line of several counts. */
function findAccount(files: AccountFile, user: string): Account | undefined {
  const accounts = parsePasswd(files('passwd'));
  if (isNumber(user)) {
    const uid = parseId(user);
    return accounts.find((account) => account.uid === uid);
  }
  const name = accountName(user);
  const found = accounts.find((account) => account.name === name);
  if (found !== undefined) return found;
  throw notFound('user', user, 'passwd');
}

function findGroup(files: AccountFile, group: string): number {
  if (isNumber(group)) return parseId(group);
  const name = accountName(group);
  const found = parseGroups(files('group')).find((line) => line.name === name);
  if (found === undefined) throw notFound('group', group, 'group');
  return requireId(found.gid, `group ${group}`);
}

function groupsOf(files: AccountFile, name: string): readonly number[] {
  const isMember = (group: Group): boolean => group.members.includes(name);
  return parseGroups(files('group'))
    .filter(isMember)
    .flatMap((group) => group.gid ?? []);
}

function homeOf(account: Account | undefined): string {
  return account === undefined || account.home === '' ? '/' : account.home;
}

function isNumber(text: string): boolean {
  return /^[+-]?\d+$/.test(text);
}

function parseId(text: string): number {
  const id = text === '' ? 0 : Number(text);
  if (id >= 0 && id <= largestWritten) return id;
  throw new ContainerError('USER_INVALID', `uids and gids must be in the range 0-${largestWritten}: ${text}`);
}

function notFound(kind: 'user' | 'group', name: string, file: string): ContainerError {
  const message = `unable to find ${kind} ${name}: no matching entries in ${file} file`;
  return new ContainerError('USER_NOT_FOUND', message, {
    hint: `names are looked up in the image's own /etc/${file}; a number works without it`,
  });
}
