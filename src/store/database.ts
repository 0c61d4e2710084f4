import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from '../oci/index.ts';
import { asStoreError, StoreError } from './error.ts';
import { migrate, refuseNewer } from './schema.ts';

/** How long one attempt to get the write lock may block this thread, milliseconds. */
const attemptMs = 20;
/** How long a writer waits for others in all. Transactions are short: this is for a frozen process. */
const patienceMs = 30_000;

export interface DatabaseOptions {
  readonly readOnly: boolean;
  /** The file system cannot be written: SQLite can keep no lock and no shared memory there. */
  readonly immutable: boolean;
}

/**
 * The store's index: one connection in WAL mode with statements prepared at first use. Rows are given the type that the
 * caller names; the schema is STRICT, so that a column's type is certain.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  /** @throws StoreError NEWER_SCHEMA, DAMAGED, NOT_A_STORE, BUSY */
  static async open(file: string, options: DatabaseOptions): Promise<Database> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        return new Database(file, options);
      } catch (error) {
        const known = asStoreError(error, 'cannot open the store');
        // Two first openings at once: switching to WAL mode and recovery want the file alone.
        if (!(known instanceof StoreError) || known.code !== 'BUSY' || Date.now() > deadline) throw known;
        await sleep(attemptMs);
      }
    }
  }

  private constructor(file: string, options: DatabaseOptions) {
    const location = options.immutable
      ? `file:${encodeURI(file).replaceAll('?', '%3f').replaceAll('#', '%23')}?immutable=1`
      : file;
    this.#db = new DatabaseSync(location, { timeout: attemptMs, readOnly: options.readOnly });
    try {
      if (options.readOnly) this.#openForReading();
      else this.#openForWriting();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #openForReading(): void {
    if (refuseNewer(this.#db) === 0) throw new StoreError('NOT_A_STORE', 'there is no store here yet');
  }

  #openForWriting(): void {
    refuseNewer(this.#db);
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(this.#db);
  }

  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  get<Row>(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#read(sql, (statement) => statement.get(...values) as Row | undefined);
  }

  all<Row>(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#read(sql, (statement) => statement.all(...values) as Row[]);
  }

  /** Changes rows; inside of a transaction only. Returns how many. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    if (this.#depth === 0) throw new Error('a change outside of a transaction');
    return Number(this.#read(sql, (statement) => statement.run(...values).changes));
  }

  /**
   * One short transaction, durable when this returns. Waits for other writers while blocking: for the calls whose
   * contract is synchronous.
   * @throws StoreError BUSY, DISK_FULL, READ_ONLY
   */
  write<Result>(body: () => Result): Result {
    if (this.#depth > 0) return body();
    const deadline = Date.now() + patienceMs;
    while (!this.#begin()) if (Date.now() > deadline) throw busy();
    return this.#transact(body);
  }

  /** As `write`, but lets the event loop turn while others write. `body` must not wait for anything. */
  async writeSoon<Result>(body: () => Result, options?: CallOptions): Promise<Result> {
    let result: { readonly value: Result } | undefined;
    // Begun and ended in one turn: others of this process write between the turns.
    await this.#patiently(() => this.#begin() && ((result = { value: this.#transact(body) }), true), options);
    if (result === undefined) throw busy();
    return result.value;
  }

  /** As `write`, for what a power cut may take: leases, rows of processes that died with it (18 µs against 300). */
  writeVolatile<Result>(body: () => Result): Result {
    if (this.#depth > 0) return body();
    return this.#volatile(() => this.write(body));
  }

  /** As `writeVolatile`, but lets the event loop turn while others write. */
  async writeVolatileSoon<Result>(body: () => Result, options?: CallOptions): Promise<Result> {
    let result: { readonly value: Result } | undefined;
    const attempt = (): boolean => this.#begin() && ((result = { value: this.#transact(body) }), true);
    await this.#patiently(() => this.#volatile(attempt), options);
    if (result === undefined) throw busy();
    return result.value;
  }

  async #patiently(attempt: () => boolean, options: CallOptions | undefined): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!attempt()) {
      if (Date.now() > deadline) throw busy();
      await sleep(5 + Math.random() * 20, undefined, { signal: options?.signal });
    }
  }

  #volatile<Result>(work: () => Result): Result {
    this.#refuseClosed();
    this.#db.exec('PRAGMA synchronous = NORMAL');
    try {
      return work();
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL');
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #refuseClosed(): void {
    if (!this.#db.isOpen) throw new StoreError('CLOSED', 'the store was closed');
  }

  #begin(): boolean {
    this.#refuseClosed();
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      const known = asStoreError(error, 'cannot write to the store');
      if (known instanceof StoreError && known.code === 'BUSY') return false;
      throw known;
    }
  }

  #transact<Result>(body: () => Result): Result {
    this.#depth += 1;
    try {
      const result = body();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw asStoreError(error, 'cannot write to the store');
    } finally {
      this.#depth -= 1;
    }
  }

  #read<Result>(sql: string, use: (statement: StatementSync) => Result): Result {
    this.#refuseClosed();
    try {
      let statement = this.#statements.get(sql);
      if (statement === undefined) {
        statement = this.#db.prepare(sql);
        this.#statements.set(sql, statement);
      }
      return use(statement);
    } catch (error) {
      throw asStoreError(error, 'cannot read the store');
    }
  }
}

function busy(): StoreError {
  return new StoreError('BUSY', `other processes kept the store locked for ${patienceMs / 1000} seconds`);
}
