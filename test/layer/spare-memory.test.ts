import { describe, expect, it } from '@jest/globals';
import { SpareMemory } from '../../src/layer/spare-memory.ts';

describe('spare memory', () => {
  it('gives what came back before it makes more', () => {
    const spare = new SpareMemory(1024, 2);
    const first = spare.take();
    const second = spare.take();
    expect(second).not.toBe(first);
    spare.give(first);
    expect(spare.take()).toBe(first);
  });

  it('frees at once what is more than it keeps', () => {
    const spare = new SpareMemory(1024, 2);
    const taken = [spare.take(), spare.take(), spare.take()];
    for (const memory of taken) spare.give(memory);
    expect(taken.map(({ detached }) => detached)).toEqual([false, false, true]);
  });

  it('keeps nothing of another size, and nothing that was given away', () => {
    const spare = new SpareMemory(1024, 2);
    const other = new ArrayBuffer(512);
    spare.give(other);
    expect(other.detached).toBe(true);
    const gone = spare.take();
    gone.transfer();
    spare.give(gone);
    expect(spare.take().byteLength).toBe(1024);
  });
});
