import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../../errors.ts';
import { RegistryError } from '../../error.ts';
import { type BcryptThread, openBcryptThread } from './bcrypt-thread.ts';
import type { Users } from './users.ts';

const largestFile = 4 * 1024 * 1024;
const longestPassword = 1024;
/** Costs beyond this take seconds, and would let a few logins keep the thread busy for minutes. */
const highestCost = 16;
/** Passwords that were right, remembered by a hash under a key of this process. */
const mostRemembered = 1024;

/**
 * The users of a file of `htpasswd -B`: `name:$2y$…` a line, `#` for comments. Other hashes than bcrypt are refused, since
 * they are guessed too fast.
 * @throws RegistryError CONFIG with the line
 */
export function parseHtpasswd(text: string, file: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const hash = line.slice(colon + 1).trim();
    if (colon < 1) throw wrong(file, at, 'it is not NAME:HASH');
    const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1];
    if (cost === undefined) throw wrong(file, at, 'its hash is not bcrypt', 'Make such lines with htpasswd -B.');
    if (Number(cost) < 4 || Number(cost) > highestCost) throw wrong(file, at, `a cost of ${cost} is not taken`);
    // The first line of a name rules, as with web servers.
    if (!users.has(line.slice(0, colon))) users.set(line.slice(0, colon), hash);
  }
  return users;
}

function wrong(file: string, at: number, why: string, hint?: string): RegistryError {
  return new RegistryError('CONFIG', `line ${at + 1} of ${file} cannot be used: ${why}`, { hint });
}

/**
 * The users of a htpasswd file, which is read again when it changes; a change that cannot be read leaves the users as they
 * were, and `warn` hears of it.
 * @throws RegistryError CONFIG
 */
export async function openHtpasswd(file: string, warn?: (message: string) => void): Promise<Users> {
  const users = new HtpasswdUsers(file, warn);
  await users.load();
  return users;
}

class HtpasswdUsers implements Users {
  readonly #file: string;
  readonly #warn: ((message: string) => void) | undefined;
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();
  readonly #thread: BcryptThread = openBcryptThread();
  #hashes: ReadonlyMap<string, string> = new Map();
  /** A hash of nobody's password, as costly as the dearest one of the file. */
  #nobody = '';
  #version = '';
  #checked = 0;

  constructor(file: string, warn: ((message: string) => void) | undefined) {
    this.#file = file;
    this.#warn = warn;
  }

  async load(): Promise<void> {
    const version = await versionOf(this.#file);
    const content = await readFile(this.#file);
    if (content.length > largestFile) throw new RegistryError('CONFIG', `${this.#file} is too large`);
    this.#hashes = parseHtpasswd(content.toString('utf8'), this.#file);
    this.#nobody = nobodysHash(this.#hashes.values());
    this.#version = version;
    this.#right.clear();
  }

  async verify(user: string, password: string): Promise<boolean> {
    await this.#refresh();
    const known = this.#hashes.get(user);
    if (password.length > longestPassword) return false;
    const key = createHmac('sha256', this.#key)
      .update(`${known ?? ''}\0${user}\0${password}`)
      .digest('base64');
    if (this.#right.has(key)) return true;
    const matches = await this.#thread.compare(password, known ?? this.#nobody);
    if (known === undefined || !matches) return false;
    const [oldest] = this.#right;
    if (this.#right.size >= mostRemembered && oldest !== undefined) this.#right.delete(oldest);
    this.#right.add(key);
    return true;
  }

  async stamp(user: string): Promise<string | undefined> {
    await this.#refresh();
    const hash = this.#hashes.get(user);
    return hash === undefined ? undefined : createHash('sha256').update(hash).digest('base64url').slice(0, 22);
  }

  /** Looks once a second at most whether the file is another one now. */
  async #refresh(): Promise<void> {
    if (Date.now() - this.#checked < 1000) return;
    this.#checked = Date.now();
    try {
      if ((await versionOf(this.#file)) !== this.#version) await this.load();
    } catch (error) {
      this.#warn?.(`the users stay as they were: ${messageOf(error)}`);
    }
  }
}

async function versionOf(file: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file);
    return [mtimeMs, ctimeMs, size, ino].join(' ');
  } catch (error) {
    throw new RegistryError('CONFIG', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** What is compared for unknown users, so that the time of an answer tells nobody who is known. */
function nobodysHash(hashes: Iterable<string>): string {
  const costs = [...hashes].map((hash) => Number(hash.slice(4, 6)));
  const cost = String(costs.length === 0 ? 10 : Math.max(...costs)).padStart(2, '0');
  return `$2b$${cost}$${'.'.repeat(53)}`;
}
