import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions, Digest } from '../../oci/index.ts';
import { ProcessLock } from '../../system/index.ts';
import type { StoreBase } from '../base.ts';
import { reapDeadProcesses, reapOwner, tolerant } from '../reap.ts';
import type { Trash } from '../trash.ts';
import { exportMount, importMount } from './archive.ts';
import type {
  ArchivedCacheMount,
  CacheMountRecord,
  CacheMounts,
  CacheMountUse,
  CacheMountWant,
  ExportedCacheMount,
  HeldCacheMount,
} from './contract.ts';
import { addUser, deleteMount, insertMount, makeFolder, rowsOf, unfinished, type UserRow, usersOf } from './rows.ts';

/** Between two looks at what others use. Milliseconds. */
const pollMs = 50;

type Choice =
  | { readonly kind: 'use'; readonly number: number }
  | { readonly kind: 'new' }
  | { readonly kind: 'wait'; readonly id: string; readonly owners: readonly string[] };

interface Taken {
  readonly number: number;
  readonly isNew: boolean;
}

/** Cache mounts of a store. Who uses which is a row naming the process's lock, void when the lock is. */
export class StoreCacheMounts implements CacheMounts {
  readonly #base: StoreBase;
  readonly #trash: Trash;

  constructor(base: StoreBase, trash: Trash) {
    this.#base = base;
    this.#trash = trash;
  }

  async acquire(
    wants: readonly CacheMountWant[],
    options: CallOptions & { readonly onWait?: ((id: string) => void) | undefined } = {},
  ): Promise<CacheMountUse> {
    if (wants.length === 0) return { mounts: [], ready: () => {}, [Symbol.asyncDispose]: () => Promise.resolve() };
    const use = randomUUID();
    const taken = await this.#patiently(() => this.#tryTake(wants, use), options);
    const numbers = new Set(taken.map(({ number }) => number));
    return {
      mounts: taken.map(
        ({ number, isNew }): HeldCacheMount => ({ folder: this.#base.paths.cacheMount(number), isNew }),
      ),
      ready: () => this.#setReady(numbers),
      [Symbol.asyncDispose]: () => this.#giveBack(use, numbers),
    };
  }

  list(): readonly CacheMountRecord[] {
    interface Row {
      readonly number: number;
      readonly id: string;
      readonly origin: string;
      readonly created: number;
      readonly last_used: number;
      readonly archive: Digest | null;
      readonly users: number;
    }
    const sql = `SELECT number, id, origin, created, last_used, archive,
        (SELECT count(*) FROM cache_mount_users WHERE mount = number) AS users
      FROM cache_mounts WHERE ready = 1 ORDER BY last_used DESC, number DESC`;
    return this.#base.db.all<Row>(sql).map((row) => ({
      name: row.number.toString(36),
      id: row.id,
      origin: row.origin,
      created: row.created,
      lastUsed: row.last_used,
      inUse: row.users > 0,
      archive: row.archive ?? undefined,
    }));
  }

  async measure(records: readonly CacheMountRecord[]): Promise<readonly number[]> {
    if (records.length === 0) return [];
    const folders = records.map(({ name }) => this.#base.paths.cacheMount(numberOf(name)));
    return this.#base.worker.perform({ kind: 'measure', folders });
  }

  async remove(records: readonly CacheMountRecord[]): Promise<readonly string[]> {
    const removed = await this.#base.db.writeSoon(() => {
      const free = records.filter(({ name }) => usersOf(this.#base, numberOf(name)).length === 0);
      for (const { name } of free) deleteMount(this.#base, numberOf(name));
      return free.map(({ name }) => name);
    });
    await tolerant(() => this.#trash.empty());
    return removed;
  }

  async exportTo(
    record: CacheMountRecord,
    options: CallOptions & { readonly fd: number; readonly known: Digest | undefined },
  ): Promise<ExportedCacheMount> {
    const number = numberOf(record.name);
    const use = randomUUID();
    await this.#patiently(() => this.#tryShare(number, record.id, use), options);
    try {
      return await exportMount(this.#base, number, options);
    } finally {
      await this.#giveBack(use, new Set(), { touch: false });
    }
  }

  async importFrom(file: string, archived: ArchivedCacheMount, options: CallOptions = {}): Promise<void> {
    const use = randomUUID();
    const owner = this.#base.leases.owner();
    const number = await this.#base.db.writeVolatileSoon(() => {
      const made = insertMount(this.#base, { ...archived, ready: false });
      addUser(this.#base, made, { owner, use, sharing: 'private' });
      return made;
    }, options);
    try {
      await importMount(this.#base, { number, file, archived }, options);
    } finally {
      await this.#giveBack(use, new Set(), { touch: false });
    }
    const older = this.list().filter(({ id, origin, name }) => {
      return id === archived.id && origin === archived.origin && numberOf(name) !== number;
    });
    await this.remove(older);
  }

  /** Repeats an attempt until it gives something; those that hold things and died are cleared away. */
  async #patiently<Result>(
    attempt: () => Result | (Choice & { readonly kind: 'wait' }),
    options: CallOptions & { readonly onWait?: ((id: string) => void) | undefined },
  ): Promise<Result> {
    for (let attempts = 0; ; attempts++) {
      const result = await this.#base.db.writeVolatileSoon(attempt, options);
      if (!isWait(result)) return result;
      if (attempts === 0) options.onWait?.(result.id);
      if (!(await this.#clearDead(result.owners))) await sleep(pollMs, undefined, { signal: options.signal });
    }
  }

  /** Its container may still be at it, so more than its rows must go. */
  async #clearDead(owners: readonly string[]): Promise<boolean> {
    const { leases, paths } = this.#base;
    const dead = owners.filter((owner) => owner !== leases.owner() && !ProcessLock.isAlive(paths.locks, owner));
    if (dead.length === 0) return false;
    await reapDeadProcesses(this.#base, this.#trash);
    for (const owner of dead) {
      if (!existsSync(path.join(paths.locks, `${owner}.db`))) await reapOwner(this.#base, this.#trash, owner);
    }
    return true;
  }

  /** Inside of a transaction: all or nothing. */
  #tryTake(wants: readonly CacheMountWant[], use: string): readonly Taken[] | (Choice & { readonly kind: 'wait' }) {
    // Mounts of one step with one id are one folder, whatever they say of sharing.
    const byKey = new Map(wants.map((want) => [keyOf(want), want]));
    const choices = new Map<string, Choice>();
    for (const [key, want] of byKey) {
      const choice = this.#choose(want);
      if (choice.kind === 'wait') return choice;
      choices.set(key, choice);
    }
    const taken = new Map<string, Taken>();
    for (const [key, want] of byKey) taken.set(key, this.#take(want, choices.get(key) ?? { kind: 'new' }, use));
    for (const want of wants) {
      const { number } = taken.get(keyOf(want)) ?? { number: -1 };
      if (!want.readOnly) this.#base.db.run('UPDATE cache_mounts SET archive = NULL WHERE number = ?', number);
    }
    return wants.map((want) => taken.get(keyOf(want)) ?? { number: -1, isNew: false });
  }

  #choose({ id, origin, sharing }: CacheMountWant): Choice {
    const rows = rowsOf(this.#base, id, origin).map((row) => ({ ...row, users: usersOf(this.#base, row.number) }));
    const wait = (users: readonly UserRow[]): Choice => ({ kind: 'wait', id, owners: users.map(({ owner }) => owner) });
    const free = rows.find(({ ready, users }) => ready === 1 && users.length === 0);
    if (sharing === 'private') return free === undefined ? { kind: 'new' } : { kind: 'use', number: free.number };
    const filling = rows.find(({ ready, users }) => ready === 0 && users.length > 0);
    if (filling !== undefined) return wait(filling.users);
    if (sharing === 'locked') {
      const used = rows.find(({ users }) => users.length > 0);
      if (used !== undefined) return wait(used.users);
      return free === undefined ? { kind: 'new' } : { kind: 'use', number: free.number };
    }
    const isShared = (users: readonly UserRow[]): boolean =>
      users.length > 0 && users.every((user) => user.sharing === 'shared');
    const shared = rows.find(({ ready, users }) => ready === 1 && isShared(users)) ?? free;
    return shared === undefined ? { kind: 'new' } : { kind: 'use', number: shared.number };
  }

  #take(want: CacheMountWant, choice: Choice, use: string): Taken {
    const owner = this.#base.leases.owner();
    const known = choice.kind === 'use' ? choice.number : undefined;
    const isThere = known !== undefined && existsSync(this.#base.paths.cacheMount(known));
    let number = known;
    if (number === undefined || (!isThere && want.filled)) {
      if (number !== undefined) deleteMount(this.#base, number); // somebody has taken its folder away
      number = insertMount(this.#base, { ...want, ready: !want.filled });
    } else if (!isThere) {
      makeFolder(this.#base, number, want.owner);
    }
    addUser(this.#base, number, { owner, use, sharing: want.sharing });
    return { number, isNew: !isThere };
  }

  #tryShare(number: number, id: string, use: string): true | (Choice & { readonly kind: 'wait' }) {
    const users = usersOf(this.#base, number);
    const alone = users.filter(({ sharing }) => sharing !== 'shared');
    if (alone.length > 0) return { kind: 'wait', id, owners: alone.map(({ owner }) => owner) };
    addUser(this.#base, number, { owner: this.#base.leases.owner(), use, sharing: 'shared' });
    return true;
  }

  #setReady(numbers: ReadonlySet<number>): void {
    const { db } = this.#base;
    db.writeVolatile(() => {
      for (const number of numbers) db.run('UPDATE cache_mounts SET ready = 1 WHERE number = ?', number);
    });
  }

  async #giveBack(use: string, numbers: ReadonlySet<number>, options = { touch: true }): Promise<void> {
    const { db } = this.#base;
    const dropped = await db.writeVolatileSoon(() => {
      db.run('DELETE FROM cache_mount_users WHERE use = ?', use);
      const now = Date.now();
      if (options.touch) {
        for (const number of numbers) db.run('UPDATE cache_mounts SET last_used = ? WHERE number = ?', now, number);
      }
      const left = unfinished(this.#base);
      for (const number of left) deleteMount(this.#base, number);
      return left.length;
    });
    if (dropped > 0) await tolerant(() => this.#trash.empty());
  }
}

function keyOf({ id, origin }: CacheMountWant): string {
  return JSON.stringify([id, origin]);
}

function numberOf(name: string): number {
  return Number.parseInt(name, 36);
}

function isWait(result: unknown): result is Choice & { readonly kind: 'wait' } {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'wait';
}
