import { ContainerError } from './error.ts';

/** A line of passwd(5); ids that are no numbers are undefined. */
export interface Account {
  readonly name: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly home: string;
}

/** A line of group(5). */
export interface Group {
  readonly name: string;
  readonly gid: number | undefined;
  readonly members: readonly string[];
}

/** Names are compared as bytes (latin1), because a file of an image may hold any. */
export function parsePasswd(bytes: Buffer | undefined): readonly Account[] {
  return fieldsOf(bytes).map(([name = '', , uid, gid, , home = '']) => {
    return { name, uid: idOf(uid), gid: idOf(gid), home: Buffer.from(home, 'latin1').toString() };
  });
}

export function parseGroups(bytes: Buffer | undefined): readonly Group[] {
  return fieldsOf(bytes).map(([name = '', , gid, members = '']) => {
    return { name, gid: idOf(gid), members: members.split(',').filter((member) => member !== '') };
  });
}

/** The text of a name as `parsePasswd` and `parseGroups` give names. */
export function accountName(name: string): string {
  return Buffer.from(name).toString('latin1');
}

/** The id of a line that was found; a line whose id is not one must not become root's (docker reads it as 0). */
export function requireId(id: number | undefined, what: string): number {
  if (id !== undefined) return id;
  throw new ContainerError('USER_INVALID', `${what} has no valid id in the image`);
}

function fieldsOf(bytes: Buffer | undefined): readonly (readonly string[])[] {
  if (bytes === undefined) return [];
  const lines = bytes.toString('latin1').split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => line.split(':').map((field) => field.trim()));
}

const largestId = 0xffff_fffe; // -1 means "no change" to chown(2) and setuid(2)

function idOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= largestId ? id : undefined;
}
