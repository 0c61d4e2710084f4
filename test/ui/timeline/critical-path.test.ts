import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { criticalPath, type PathStep } from '../../../src/ui/index.ts';

/** `b 5-9 a,x` is step b from 5 to 9, which needs a and x; `~` before the name marks work around the graph. */
function steps(...lines: readonly string[]): PathStep[] {
  return lines.map((line) => {
    const [name = '', times = '', needs = ''] = line.split(' ');
    const [start = 0, end = 0] = times.split('-').map(Number);
    return {
      id: name.replace('~', ''),
      start,
      end,
      needs: needs === '' ? [] : needs.split(','),
      around: name.startsWith('~'),
    };
  });
}

describe('criticalPath', () => {
  it.each([
    ['of nothing is nothing', [], ''],
    ['of one step is that step', ['a 0-5'], 'a'],
    ['follows the needs of the last step', ['a 0-5', 'b 5-9 a', 'c 9-10 b'], 'a b c'],
    ['of a diamond takes the slower arm', ['a 0-1', 'l 1-9 a', 'r 1-4 a', 'e 9-10 l,r'], 'a l e'],
    ['takes the need that ended last, not the one that took longest', ['s 0-8', 'w 6-9', 'e 9-10 s,w'], 'w e'],
    ['leaves out what nobody waited for, however long', ['a 0-3', 'side 0-9', 'e 9-12 a'], 'a e'],
    ['begins with the work before the graph', ['~load 0-2', '~other 0-1', 'a 2-5', 'b 5-6 a'], 'load a b'],
    ['ends with the work after the graph', ['a 0-5', 'b 5-6 a', '~export 6-8'], 'a b export'],
    ['keeps a wait for a free place as a gap', ['a 0-2', 'other 2-7', 'b 7-9 a'], 'a b'],
    ['does not take steps of the graph for needs of one that has none', ['x 0-3', 'a 4-9'], 'a'],
    ['of a failed build ends with what ended last', ['a 0-2', 'bad 2-6 a', 'stopped 2-6.1 a'], 'a stopped'],
    ['passes over needs that are not there', ['a 0-2', 'b 2-4 gone,a'], 'a b'],
    ['of steps at the same time takes the longer', ['a 0-4', 'b 2-4', 'c 4-5 b,a'], 'a c'],
    ['ends where needs go round in a circle', ['a 0-2 b', 'b 2-4 a'], 'a b'],
  ] as const)('%s', (_, lines, path) => {
    expect(criticalPath(steps(...lines)).join(' ')).toBe(path);
  });

  it('is a chain of needs that ends with the last step, whatever the graph', () => {
    const graph = fc.array(fc.tuple(fc.nat(50), fc.nat(50), fc.array(fc.nat(30), { maxLength: 3 })), { minLength: 1 });
    fc.assert(
      fc.property(graph, (list) => {
        const all: PathStep[] = [];
        for (const [index, [wait, length, needs]] of list.entries()) {
          const known = [...new Set(needs)].filter((need) => need < index).map(String);
          const ready = Math.max(0, ...known.map((id) => all[Number(id)]?.end ?? 0));
          all.push({ id: String(index), start: ready + wait, end: ready + wait + length, needs: known, around: false });
        }
        const path = criticalPath(all).map((id) => all[Number(id)]);
        expect(path.at(-1)?.end).toBe(Math.max(...all.map(({ end }) => end)));
        for (const [index, step] of path.entries()) {
          const before = path[index - 1];
          if (before === undefined) expect(step?.needs).toEqual([]);
          else expect(step?.needs).toContain(before.id);
        }
      }),
    );
  });
});
