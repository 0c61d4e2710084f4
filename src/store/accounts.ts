import type { Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { BuildAccount, BuildAccounts } from './contract.ts';

/** How many are kept, and how many bytes of them beside the newest. */
const most = 200;
const mostBytes = 64 << 20;

interface AccountRow {
  readonly build: string;
  readonly project: string;
  /** JSON. */
  readonly images: string;
  readonly document: string;
}

const columns = 'build, project, images, document';

/** What the last builds did. */
export class StoreAccounts implements BuildAccounts {
  readonly #base: StoreBase;

  constructor(base: StoreBase) {
    this.#base = base;
  }

  /** Nothing that a power cut takes is missed. */
  put({ build, project, images, document }: BuildAccount): void {
    const { db } = this.#base;
    db.writeVolatile(() => {
      const sql = `INSERT OR REPLACE INTO accounts (${columns}) VALUES (?, ?, ?, ?)`;
      db.run(sql, build, project, JSON.stringify(images), document);
      db.run('DELETE FROM accounts WHERE seq <= (SELECT max(seq) FROM accounts) - ?', most);
      db.run(
        `DELETE FROM accounts WHERE seq < (SELECT max(seq) FROM accounts) AND seq IN (
           SELECT seq FROM (SELECT seq, sum(octet_length(document)) OVER (ORDER BY seq DESC) AS bytes FROM accounts)
           WHERE bytes > ?)`,
        mostBytes,
      );
    });
  }

  latest(project: string): BuildAccount | undefined {
    const sql = `SELECT ${columns} FROM accounts WHERE project = ? ORDER BY seq DESC LIMIT 1`;
    return accountOf(this.#base.db.get<AccountRow>(sql, project));
  }

  find(reference: string): BuildAccount | undefined {
    const sql = `SELECT ${columns} FROM accounts
      WHERE substr(build, 1, length(?1)) = ?1 OR EXISTS (SELECT 1 FROM json_each(images) WHERE value = ?1)
      ORDER BY seq DESC LIMIT 1`;
    return reference === '' ? undefined : accountOf(this.#base.db.get<AccountRow>(sql, reference));
  }
}

function accountOf(row: AccountRow | undefined): BuildAccount | undefined {
  if (row === undefined) return undefined;
  const { build, project, images, document } = row;
  return { build, project, images: JSON.parse(images) as Digest[], document };
}
