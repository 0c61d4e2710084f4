import { DatabaseSync } from 'node:sqlite';
import { expect, it } from '@jest/globals';
import { asStoreError } from '../../src/store/error.ts';

/** What SQLite says when there is no room for another page. */
function fullDatabase(): unknown {
  using db = new DatabaseSync(':memory:');
  db.exec('PRAGMA max_page_count = 2; CREATE TABLE t (content)');
  try {
    db.exec('INSERT INTO t VALUES (zeroblob(100000))');
  } catch (error) {
    return error;
  }
  return undefined;
}

it.each([
  ['SQLite', fullDatabase()],
  ['the file system', Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })],
])('a full disk is called the same when %s meets it', (_, error) => {
  expect(asStoreError(error, 'cannot write to the store')).toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringMatching(/^cannot write to the store: .*no space left on device/),
  });
});
