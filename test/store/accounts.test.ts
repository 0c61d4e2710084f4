import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../src/oci/index.ts';
import { ScratchStore } from './scratch-store.ts';

const [image, other] = [digestOf('image'), digestOf('other')];

describe('accounts of builds', () => {
  it('are found by the latest of a project, by build and its beginning, and by image', async () => {
    await using scratch = new ScratchStore();
    const { accounts } = await scratch.open();
    accounts.put({ build: 'b1111', project: 'p', images: [image], document: 'first' });
    accounts.put({ build: 'b2222', project: 'p', images: [image, other], document: 'second' });
    accounts.put({ build: 'b3333', project: 'q', images: [], document: 'third' });
    const found = [
      accounts.latest('p'),
      accounts.latest('nothing'),
      accounts.find('b1111'),
      accounts.find('b2'),
      accounts.find(image),
      accounts.find(other),
      accounts.find(''),
      accounts.find('B1111'),
    ];
    expect(found.map((account) => account?.document)).toEqual([
      'second',
      undefined,
      'first',
      'second',
      'second',
      'second',
      undefined,
      undefined,
    ]);
    expect(found[3]).toEqual({ build: 'b2222', project: 'p', images: [image, other], document: 'second' });
  });

  it('make room for newer ones', async () => {
    await using scratch = new ScratchStore();
    const { accounts } = await scratch.open();
    for (let at = 0; at <= 200; at++) accounts.put({ build: `b-${at}-`, project: 'p', images: [], document: `${at}` });
    expect([accounts.find('b-0-'), accounts.find('b-1-')?.document]).toEqual([undefined, '1']);
  });

  it('make room for others where they are large, but for the newest', async () => {
    await using scratch = new ScratchStore();
    const { accounts } = await scratch.open();
    const put = (build: string, megabytes: number) =>
      accounts.put({ build, project: 'p', images: [], document: 'x'.repeat(megabytes << 20) });
    const kept = () => ['one', 'two', 'three', 'four'].filter((build) => accounts.find(build) !== undefined);
    put('one', 1);
    put('two', 30);
    put('three', 33);
    expect(kept()).toEqual(['one', 'two', 'three']); // 64 MiB
    put('four', 65);
    expect(kept()).toEqual(['four']);
  });
});
