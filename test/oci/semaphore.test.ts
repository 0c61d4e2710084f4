import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Semaphore } from '../../src/oci/index.ts';

describe('Semaphore', () => {
  it('lets only so many in, in order', async () => {
    const room = new Semaphore(2);
    const order: number[] = [];
    let inside = 0;
    let most = 0;
    const work = (at: number) => async (): Promise<void> => {
      order.push(at);
      most = Math.max(most, ++inside);
      await nextTurn();
      inside -= 1;
    };
    await Promise.all([0, 1, 2, 3, 4].map((at) => room.run(work(at))));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  it('gives the room back when the work fails', async () => {
    const room = new Semaphore(1);
    await expect(room.run(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await room.run(async () => 'next')).toBe('next');
  });

  it('lets a waiter go that is aborted, and keeps its place for nobody', async () => {
    const room = new Semaphore(1);
    const controller = new AbortController();
    let leave = (): void => undefined;
    const first = room.run(() => new Promise<void>((resolve) => (leave = resolve)));
    const second = room.run(async () => 'second', controller.signal);
    const third = room.run(async () => 'third');
    controller.abort(new Error('no longer'));
    await expect(second).rejects.toThrow('no longer');
    leave();
    await first;
    expect(await third).toBe('third');
  });

  it('leaves no listener at the signal of a long queue', async () => {
    const room = new Semaphore(1);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 30 }, () => room.run(() => nextTurn(), signal)));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
