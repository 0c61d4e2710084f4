import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../src/oci/index.ts';
import type { Store } from '../../src/store/index.ts';
import { ScratchStore } from './scratch-store.ts';

const key = digestOf('a step');

/** Holds the claim for some turns of the event loop; tells when it has it and when it gives it back. */
async function work(store: Store, name: string, told: string[]): Promise<void> {
  using _claim = await store.cache.claim(key);
  told.push(`${name} begins`);
  await sleep(20);
  told.push(`${name} ends`);
}

function overlapping(told: readonly string[]): boolean {
  return told.some((line, at) => at % 2 === 1 && line !== told[at - 1]?.replace('begins', 'ends'));
}

describe('claims', () => {
  it('let the builds of one process at a step in turn, in the order of their asking', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const told: string[] = [];
    await Promise.all(['a', 'b', 'c'].map((name) => work(store, name, told)));
    expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('let two owners at a step in turn', async () => {
    await using scratch = new ScratchStore();
    const stores = [await scratch.open(), await scratch.open()] as const;
    const told: string[] = [];
    await Promise.all([0, 1, 2, 3].map((each) => work(stores[each % 2] as Store, `${each}`, told)));
    expect(told).toHaveLength(8);
    expect(overlapping(told)).toBe(false);
  });

  it('let other steps go on', async () => {
    await using scratch = new ScratchStore();
    const [one, two] = [await scratch.open(), await scratch.open()];
    using _held = await one.cache.claim(key);
    using _other = await two.cache.claim(digestOf('another step'));
  });

  it('of an owner that is no more are void', async () => {
    await using scratch = new ScratchStore();
    const [one, two] = [await scratch.open(), await scratch.open()];
    const held = await one.cache.claim(key);
    const waiting = two.cache.claim(key);
    await one.close(); // its lock is gone with it, as with a process that died
    using _taken = await waiting;
    expect(() => held[Symbol.dispose]()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('wait no longer than the caller wants, and leave no one else waiting', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const controller = new AbortController();
    const held = await store.cache.claim(key);
    const given = store.cache.claim(key, { signal: controller.signal });
    const patient = store.cache.claim(key);
    controller.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    held[Symbol.dispose]();
    (await patient)[Symbol.dispose]();
    using _again = await store.cache.claim(key);
  });

  it('let the next in line go on, even where the one before cannot give back its own', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const held = await store.cache.claim(key);
    const waiting = store.cache.claim(key);
    await store.close();
    expect(() => held[Symbol.dispose]()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
