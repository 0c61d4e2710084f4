import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { displayWidth, type ProgressStream, progressFor } from '../../../src/ui/index.ts';
import { cached, done, failed, log, play, Screen, start, type Timed } from './play.ts';
import { obeyed } from './runner.ts';
import { terminalAfter } from './terminal.ts';

/** What a step says and how it ends. */
interface Script {
  readonly id: string;
  readonly lines: readonly string[];
  readonly end: 'done' | 'cached' | 'failed';
}

const words = fc.constantFrom(
  'x',
  '',
  '::error::x',
  '##[group]x',
  '#1 0.1 x',
  '漢字',
  '::endgroup::',
  'a b',
  '#2 DONE 0.1s',
);
const end = fc.constantFrom('done', 'cached', 'failed');
const scripts = fc
  .array(fc.record({ lines: fc.array(words, { maxLength: 6 }), end }), { minLength: 1, maxLength: 6 })
  .map((list): Script[] => list.map((each, index) => ({ ...each, id: `s${index}` })));
/** Which step goes on next, and after how many milliseconds. */
const turns = fc.array(fc.tuple(fc.nat(5), fc.constantFrom(0, 1, 50, 4_000)), { minLength: 60, maxLength: 60 });

/** The scripts run side by side; lines are numbered so that each is told from all others. */
function interleave(list: readonly Script[], order: readonly (readonly [number, number])[]): Timed[] {
  const left = list.map(({ id, lines, end: how }) => [
    (time: number) => start(id, `title of ${id}`, time),
    ...lines.map((line, index) => (time: number) => log(id, time, `${line} <${id}.${index}>\n`)),
    (time: number) => (how === 'done' ? done(id, time) : how === 'cached' ? cached(id, time) : failed(id, time, 'no')),
  ]);
  const events: Timed[] = [];
  let time = 0;
  for (const [which, wait] of order) {
    time += wait;
    const open = left.filter((rest) => rest.length > 0);
    const next = open[which % Math.max(1, open.length)]?.shift();
    if (next !== undefined) events.push(next(time));
  }
  for (const rest of left) for (const next of rest) events.push(next(time));
  return events;
}

const wanted = ({ id, lines }: Script): string[] => lines.map((line, index) => `${line} <${id}.${index}>`);

describe('whatever steps say side by side', () => {
  it('plain writes each line once, in its order, under the head of its step', () => {
    fc.assert(
      fc.property(scripts, turns, (list, order) => {
        const text = play('plain', interleave(list, order));
        const [steps = ''] = text.split(/^------$/m);
        const said = new Map<string, string[]>();
        let head = '';
        for (const line of steps.split('\n')) {
          const id = /^#\d+ title of (s\d)$/.exec(line)?.[1];
          if (id !== undefined) head = id;
          const output = /^#\d+ \d+\.\d+ (.*<(s\d)\.\d>)$/.exec(line);
          if (output === null) continue;
          expect(output[2]).toBe(head);
          said.set(head, [...(said.get(head) ?? []), output[1] ?? '']);
        }
        for (const script of list) expect(said.get(script.id) ?? []).toEqual(wanted(script));
      }),
    );
  });

  it('github has one group for each step that spoke, with its lines and no others, and obeys none of them', () => {
    fc.assert(
      fc.property(scripts, turns, (list, order) => {
        const text = play('github', interleave(list, order), { dockerfile: 'Dockerfile' });
        const groups = [
          ...text.matchAll(/^::group::#\d+ title of (s\d)\n([\s\S]*?)^::endgroup::\n(?=#\d+ (?:DONE|CACHED|ERROR))/gm),
        ];
        const spoke = list.filter(({ lines }) => lines.length > 0);
        expect(groups.map(([, id = '']) => id).sort()).toEqual(spoke.map(({ id }) => id));
        for (const [, id, body = ''] of groups) {
          const lines = body.split('\n').flatMap((line) => /^\d+\.\d+ (.*)$/.exec(line)?.[1] ?? []);
          expect(lines).toEqual(wanted(list.find((script) => script.id === id) ?? { id: '', lines: [], end: 'done' }));
        }
        const { commands, stopped } = obeyed(text);
        const count = (name: string): number => commands.filter((command) => command.startsWith(`::${name}`)).length;
        const failures = list.filter((script) => script.end === 'failed').length;
        expect([count('group'), count('endgroup'), count('error'), commands.length, stopped]).toEqual([
          spoke.length,
          spoke.length,
          failures,
          2 * spoke.length + failures,
          false,
        ]);
      }),
    );
  });

  it('tty keeps within the terminal, and in the end has told of each step that ran once', () => {
    const size = fc.record({ columns: fc.integer({ min: 20, max: 90 }), rows: fc.integer({ min: 5, max: 30 }) });
    fc.assert(
      fc.property(scripts, turns, size, (list, order, { columns, rows }) => {
        const screen = Object.assign(new Screen('terminal'), { columns, rows });
        let time = 0;
        const progress = progressFor('tty', screen as ProgressStream, { env: {}, summary: false, now: () => time });
        for (const [at, event] of interleave(list, order)) {
          time = at;
          progress.event(event);
          const before = terminalAfter(screen.text, columns).length;
          // Stepping aside and back draws a frame at any moment.
          progress.suspend();
          progress.resume();
          expect(terminalAfter(screen.text, columns).length - before).toBeLessThanOrEqual(rows);
        }
        progress.end();
        const shown = terminalAfter(screen.text, columns).filter((row) => row !== '');
        expect(shown.every((row) => displayWidth(row) <= columns)).toBe(true);
        for (const { id, end: how } of list.filter((script) => script.end !== 'cached')) {
          const head = how === 'failed' ? ` => ERROR title of ${id}` : ` => title of ${id}`;
          expect(shown.filter((row) => row.startsWith(head.slice(0, columns - 8)))).not.toEqual([]);
        }
      }),
      { numRuns: 30 },
    );
  });
});
