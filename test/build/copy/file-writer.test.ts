import { describe, expect, it } from '@jest/globals';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestSelection } from '../../../src/build/copy/digest.ts';
import { FileWriter, type KnownContent } from '../../../src/build/copy/file-writer.ts';
import { KnownDigests } from '../../../src/build/copy/known-digests.ts';
import { selectSources } from '../../../src/build/copy/select.ts';
import { SelectionSum } from '../../../src/build/copy/selection-sum.ts';
import { type Clock, StatCache } from '../../../src/build/copy/stat-cache.ts';
import { TreeIndex } from '../../../src/build/copy/tree-index.ts';
import { statsOf } from '../../../src/build/copy/tree.ts';
import { ChildOfRoot } from '../../../src/build/copy/walk.ts';
import { copyInto } from '../../../src/build/copy/write.ts';
import { tellsEveryChange } from '../../../src/system/index.ts';
import { rootPrivileges as privileges } from '../../root-privileges.ts';
import { ScratchTree } from '../scratch.ts';

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const sha256 = (text: string): string => hash('sha256', text);

/** Copies the file `f`, and tells what was told of it and what came. */
function copied(content: string, known?: KnownContent): { digest: string; content: string } {
  using tree = new ScratchTree({ 'from/f': content, to: null });
  const root = join(tree.root, 'from');
  using writer = new FileWriter(join(tree.root, 'to'), privileges);
  const source = new ChildOfRoot(root, 'f', { name: 'f', stats: statsOf(join(root, 'f')) });
  const digest = writer.copy(source, 'g', { uid, gid, mode: 0o640, time: 1_000_000_000 }, known);
  return { digest, content: readFileSync(join(tree.root, 'to', 'g'), 'utf8') };
}

const large = 'large '.repeat(400_000);

describe('a copied file', () => {
  it.each([
    ['empty', ''],
    ['small', 'small'],
    ['larger than the buffer', large],
  ])('is told by its sha256 where nothing is known of it: %s', (_, content) => {
    expect(copied(content, () => undefined)).toEqual({ digest: sha256(content), content });
  });

  it.each([
    ['empty', ''],
    ['small', 'small'],
    ['large', large],
  ])('is told as it is known, without being read: %s', (_, content) => {
    expect(copied(content, () => 'known')).toEqual({ digest: 'known', content });
  });

  it('is read after all where it changed while it was copied', () => {
    const answers = ['before', undefined];
    expect(copied(large, () => answers.shift())).toEqual({ digest: sha256(large), content: large });
  });

  it('is told nothing of where nobody asks', () => {
    expect(copied('content')).toEqual({ digest: '', content: 'content' });
  });
});

const files = 40;
const bytesEach = 300_000;
const total = files * bytesEach;
const accounting = '/proc/thread-self/io';
/** By this clock all files were written long before they are read. */
const later: Clock = { now: () => Date.now() + 60_000, bootedAt: () => 1_700_000_000_000 };

/** Bytes that this thread reads, or has the kernel copy, meanwhile. */
function bytesRead(work: () => void): number {
  const count = (): number => Number(/^rchar: (\d+)/m.exec(readFileSync(accounting, 'latin1'))?.[1]);
  const before = count();
  work();
  return count() - before;
}

const whyNotCounted = !existsSync(accounting)
  ? 'this kernel does not count what a thread reads'
  : tellsEveryChange(tmpdir())
    ? undefined
    : `stats are not believed on the file system of ${tmpdir()}`;

(whyNotCounted === undefined ? describe : describe.skip)(
  `bytes of a context${whyNotCounted === undefined ? '' : ` (${whyNotCounted})`}`,
  () => {
    it('are read once to be known and moved once to be copied; what is known is not read', () => {
      using scratch = new ScratchTree({ context: null, root: null, caches: null });
      const [context, root, caches] = ['context', 'root', 'caches'].map((name) => join(scratch.root, name)) as [
        string,
        string,
        string,
      ];
      for (let at = 0; at < files; at++) writeFileSync(join(context, `f${at}`), `${at}`.padEnd(bytesEach, '.'));
      const select = (index?: TreeIndex) =>
        selectSources({ root: context, resetOwner: true, label: 'a context', index }, '.', { parents: false });
      const look = (): string => {
        using index = new TreeIndex(context, StatCache.open(caches, context, later));
        const digest = digestSelection(select(index));
        index.save();
        return digest;
      };
      const little = total / 20;
      let digest = '';
      const cold = bytesRead(() => (digest = look()));
      expect(cold).toBeGreaterThanOrEqual(total);
      expect(cold).toBeLessThan(total + little);
      expect(bytesRead(() => expect(look()).toBe(digest))).toBeLessThan(little);

      const copy = (to: string, known?: KnownDigests): string => {
        const sources = select();
        const sum = new SelectionSum();
        copyInto(sources, { root, destination: to, followLinks: true, privileges, sum, known, owner: { uid, gid } });
        return sum.digest(sources);
      };
      mkdirSync(join(root, 'x'));
      // Shared blocks are not even copied.
      expect(bytesRead(() => expect(copy('/x/known', new KnownDigests(caches))).toBe(digest))).toBeLessThan(
        total + little,
      );
      expect(bytesRead(() => expect(copy('/x/unknown')).toBe(digest))).toBeLessThan(total + little);
    });
  },
);
