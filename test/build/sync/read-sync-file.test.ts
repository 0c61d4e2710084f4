import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readSyncFile } from '../../../src/build/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-sync-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  await writeFile(join(folder, 'sync.yaml'), text);
  return readSyncFile(join(folder, 'sync.yaml'));
}

describe('a file of things to sync', () => {
  it('says what goes where', async () => {
    const { tasks, parallel } = await read(`
defaults: { parallel: 2, referrers: true, platforms: [linux/amd64] }
sync:
  - source: docker.io/library/debian
    target: registry.example.com/debian
    tags: { include: ['12.*'], exclude: ['.*-slim'] }
    prune: true
  - { source: 'a/b:1', target: 'c/d:2', type: image, referrers: false, platform: [linux/arm64] }
`);
    expect(parallel).toBe(2);
    expect(tasks).toEqual([
      {
        source: 'docker.io/library/debian',
        target: 'registry.example.com/debian',
        single: false,
        tags: { include: ['12.*'], exclude: ['.*-slim'], semver: undefined },
        platforms: [{ os: 'linux', architecture: 'amd64' }],
        referrers: true,
        prune: true,
      },
      expect.objectContaining({ source: 'a/b:1', single: true, referrers: false, prune: false, tags: {} }),
    ]);
    expect(tasks[1]?.platforms).toHaveLength(2);
  });

  it('prunes repositories by default where it says so, and nothing for single images', async () => {
    const { tasks } = await read(`
defaults: { prune: true }
sync:
  - { source: a/b, target: c/d }
  - { source: 'a/b:1', target: 'c/d:2', type: image }
`);
    expect(tasks.map(({ prune }) => prune)).toEqual([true, false]);
  });

  it("takes regsync's words", async () => {
    const { tasks } = await read(`
version: 1
sync:
  - source: a/b
    target: c/d
    type: repository
    tags: { allow: ['v.*'], deny: [v0], semverRange: ['>=1'] }
`);
    expect(tasks[0]?.tags).toEqual({ include: ['v.*'], exclude: ['v0'], semver: ['>=1'] });
  });

  it.each([
    ['sync: [{ target: x }]', '1: source is missing'],
    ['sync:\n  - source: a\n    target: b\n    tag: x', '4: tag is not known here'],
    ['sync:\n  - source: a\n    target: b\n    tags:\n      include: 1.20', '5: 1.2 is no text'],
    ['sync:\n  - source: a\n    target: b\n    prune: yes please', '4: prune is true or false'],
    ['sync:\n  - source: a\n    target: b\n    type: image\n    prune: true', '5: prune is for repositories'],
    ['sync:\n  - source: a\n    target: b\n    type: registry', '4: type is repository or image'],
    ['creds: []\nsync: []', '1: creds is not known here'],
    ['sync: {}', '1: sync is no list'],
    ['defaults: { parallel: 0 }\nsync: []', '1: parallel is a number'],
    ['- a', '1: the file is no mapping'],
    ['sync: [', '1: '],
    ['a: &a [*a]\nsync: []', ''],
  ])('%j is refused with its line', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'SYNC_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('that is not there is told', async () => {
    await expect(readSyncFile(join(folder, 'nowhere.yaml'))).rejects.toMatchObject({ code: 'SYNC_INVALID' });
  });
});
