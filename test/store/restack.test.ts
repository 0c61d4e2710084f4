import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { chainIdOf, type Digest } from '../../src/oci/index.ts';
import type { ActiveSnapshot, Store } from '../../src/store/index.ts';
import { isRoot, ScratchStore } from './scratch-store.ts';

/** What a step does to a tree. */
interface Change {
  readonly write?: Readonly<Record<string, string>>;
  /** Paths that are taken away. */
  readonly remove?: readonly string[];
  /** Hard links: new name to name in the same layer. */
  readonly link?: Readonly<Record<string, string>>;
}

const base: Change = {
  write: { 'etc/a': 'a', 'etc/b': 'b', 'var/www/old': 'old', 'var/www/deep/x': 'x', kept: 'kept' },
};
const steps: readonly Change[] = [
  { write: { 'etc/a': 'changed', 'tmp/one': '1' }, link: { 'tmp/same': 'tmp/one' } },
  { remove: ['var/www', 'etc/b'], write: { 'tmp/two': '2' } },
  { write: { 'var/www/new': 'new' }, remove: ['tmp/two'] },
];
const time = 1_700_000_000;

/** As a container would: in the upper folder of an overlay, deletions are devices and opaque folders. */
function apply(active: ActiveSnapshot, { write = {}, remove = [], link = {} }: Change): void {
  const at = (name: string): string => path.join(active.folder, name);
  for (const name of remove) {
    fs.rmSync(at(name), { recursive: true, force: true });
    if (active.driver === 'copy') continue;
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
    execFileSync('mknod', [at(name), 'c', '0', '0']);
  }
  for (const [name, content] of Object.entries(write)) {
    const folder = path.dirname(at(name));
    // A folder in the place of one that a layer below deleted hides nothing: the whiteout is below it.
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(at(name), content);
    fs.utimesSync(at(name), time, time);
  }
  for (const [name, target] of Object.entries(link)) fs.linkSync(at(target), at(name));
}

async function layer(store: Store, parent: Digest | undefined, change: Change): Promise<Digest> {
  const active = await store.snapshots.prepare(parent);
  apply(active, change);
  return chainIdOf(parent, await committed(store, active));
}

async function committed(store: Store, active: ActiveSnapshot): Promise<Digest> {
  const draft = await store.snapshots.diff(active);
  await store.snapshots.commit(active, draft);
  return draft.diffId;
}

async function stack(store: Store): Promise<{ readonly below: Digest; readonly tops: readonly Digest[] }> {
  const below = await layer(store, undefined, base);
  const tops: Digest[] = [];
  for (const change of steps) tops.push(await layer(store, tops.at(-1) ?? below, change));
  return { below, tops };
}

async function entries(store: Store, diffId: Digest): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of await store.openLayer(diffId)) chunks.push(chunk as Buffer);
  const listed = execFileSync('tar', ['-tvf', '-', '--full-time', '--numeric-owner'], {
    input: Buffer.concat(chunks),
    env: { ...process.env, TZ: 'UTC' },
  });
  return listed
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));
}

const withoutTimes = (line: string): string => line.replace(/ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, '');

(isRoot ? describe : describe.skip).each(['overlay', 'copy'] as const)('restack, %s (as root)', (snapshotter) => {
  it('makes one layer of what a stack has over its base: neither what was deleted again nor what is the same', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open({ snapshotter });
    const { below, tops } = await stack(store);
    const top = tops.at(-1) as Digest;
    const diffId = await store.snapshots.restack({ top, below, onto: below });
    const listed = (await entries(store, diffId)).map(withoutTimes);
    expect(listed).toEqual([
      'drwxr-xr-x 0/0 0 etc/',
      '-rw-r--r-- 0/0 7 etc/a',
      '---------- 0/0 0 etc/.wh.b',
      'drwxr-xr-x 0/0 0 tmp/',
      '-rw-r--r-- 0/0 1 tmp/one',
      'hrw-r--r-- 0/0 0 tmp/same link to tmp/one',
      'drwxr-xr-x 0/0 0 var/',
      'drwxr-xr-x 0/0 0 var/www/',
      '---------- 0/0 0 var/www/.wh.deep',
      '-rw-r--r-- 0/0 3 var/www/new',
      '---------- 0/0 0 var/www/.wh.old',
    ]);
    expect(store.snapshots.has(chainIdOf(below, diffId))).toBe(true);
    expect(await store.snapshots.restack({ top, below, onto: below })).toBe(diffId);
  });

  it('gives later times in headers an end, and leaves whiteouts at 0', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open({ snapshotter });
    const { below, tops } = await stack(store);
    const clampTo = time - 86_400;
    let onto: Digest | undefined = below;
    let under: Digest | undefined = below;
    const times = new Set<string>();
    for (const top of tops) {
      const diffId: Digest = await store.snapshots.restack({ top, below: under, onto, clampTo });
      for (const line of await entries(store, diffId))
        times.add(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.exec(line)?.[0] ?? '');
      [under, onto] = [top, chainIdOf(onto, diffId)];
    }
    expect([...times].toSorted()).toEqual(['1970-01-01 00:00:00', '2023-11-13 22:13:20']);
  });
});
