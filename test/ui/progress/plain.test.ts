import { describe, expect, it } from '@jest/globals';
import type { BuildEvent } from '../../../src/build/index.ts';
import { cancelled, cached, done, explained, failed, log, play, start } from './play.ts';

describe('plain progress', () => {
  it("writes BuildKit's lines", () => {
    const text = play('plain', [
      start('s0', '[1/3] FROM busybox'),
      cached('s0', 10),
      start('s1', '[2/3] RUN make', 20),
      log('s1', 143, 'compi'),
      log('s1', 1_200, 'ling\nlinking\n'),
      done('s1', 1_520),
    ]);
    expect(text).toBe(`#1 [1/3] FROM busybox
#1 CACHED

#2 [2/3] RUN make
#2 1.180 compiling
#2 1.180 linking
#2 DONE 1.5s
`);
  });

  it('keeps steps that run at once apart: one has the floor until it ends', () => {
    const text = play('plain', [
      start('a', '[a 1/1] RUN one'),
      start('b', '[b 1/1] RUN two'),
      log('a', 100, 'a1\n'),
      log('b', 200, 'b1\n'),
      log('a', 300, 'a2\n'),
      done('b', 400),
      done('a', 500),
    ]);
    expect(text).toBe(`#1 [a 1/1] RUN one
#1 0.100 a1
#1 0.300 a2
#1 DONE 0.5s

#2 [b 1/1] RUN two
#2 0.200 b1
#2 DONE 0.4s
`);
  });

  it('gives the floor away when its step falls silent, with its head again when it comes back', () => {
    const text = play('plain', [
      start('a', 'A'),
      start('b', 'B'),
      log('a', 100, 'a1\n'),
      log('b', 200, 'b1\n'),
      log('b', 5_000, 'b2\n'),
      done('b', 5_100),
      done('a', 6_000),
    ]);
    expect(text).toBe(`#1 A
#1 0.100 a1
#1 ...

#2 B
#2 0.200 b1
#2 5.000 b2
#2 DONE 5.1s

#1 A
#1 DONE 6.0s
`);
  });

  it('never clips, and of a line that redraws itself shows the last state', () => {
    const long = 'x'.repeat(5_000);
    const text = play('plain', [start('a', 'A'), log('a', 0, `10%\r20%\r\n${long}\nrest`), done('a', 0)]);
    expect(text).toContain(`#1 0.000 20%\n#1 0.000 ${long}\n#1 0.000 rest\n`);
  });

  it('ends with the output of the step that failed', () => {
    const text = play('plain', [
      start('a', '[2/2] RUN false'),
      log('a', 100, 'oh\nno\n'),
      failed('a', 200, 'exit code: 1'),
    ]);
    expect(text).toBe(`#1 [2/2] RUN false
#1 0.100 oh
#1 0.100 no
#1 ERROR: exit code: 1
------
 > [2/2] RUN false:
oh
no
------
`);
  });

  it('tells of transfers now and then, and at their end', () => {
    const bytes = (time: number, current: number): [number, BuildEvent] => [
      time,
      { type: 'step-progress', id: 'a', label: 'context', current, total: 3_000_000 },
    ];
    const text = play('plain', [
      start('a', 'load'),
      bytes(1_000, 1_000),
      bytes(1_100, 50_000),
      bytes(1_200, 3_000_000),
      done('a', 1_300),
    ]);
    expect(text).toBe('#1 load\n#1 context 1kB / 3MB\n#1 context 3MB / 3MB done\n#1 DONE 1.3s\n');
  });

  it('writes notes at once', () => {
    const text = play('plain', [
      [0, { type: 'note', level: 'info', message: 'isolation: runc 1.1.5' }],
      [0, { type: 'note', level: 'warning', message: 'MAINTAINER is deprecated' }],
    ]);
    expect(text).toBe('isolation: runc 1.1.5\nWARNING: MAINTAINER is deprecated\n');
  });

  it('lets no control sequence of a step reach a terminal, and changes nothing in a pipe', () => {
    const events = [start('a', 'A'), log('a', 0, '\u001b[2J\u001b[31mred\n'), done('a', 0)];
    expect(play('plain', events, { on: 'terminal' })).toContain('#1 0.000 \u001b[31mred\n');
    expect(play('plain', events)).toContain('#1 0.000 \u001b[2J\u001b[31mred\n');
  });

  it('writes what still waits when the build breaks off', () => {
    const text = play('plain', [start('a', 'A'), start('b', 'B'), log('a', 100, 'a1\n'), log('b', 200, 'b1\n')]);
    expect(text).toBe('#1 A\n#1 0.100 a1\n\n#2 B\n#2 0.200 b1\n');
  });

  it('numbers steps of a build that is done twice anew', () => {
    const once = (time: number) => [start('a', 'A', time), cached('a', time), start('b', 'B', time), cached('b', time)];
    const heads = play('plain', [...once(0), ...once(10)]).match(/^#\d+ [AB]$/gm);
    expect(heads).toEqual(['#1 A', '#2 B', '#3 A', '#4 B']);
  });

  it.each([
    [0, '0.000'],
    [9_999, '9.999'],
    [12_345, '12.35'],
    [123_456, '123.5'],
    [12_345_678, '12345.7'],
  ])("stamps output after %d ms with %s, as BuildKit's digits go", (time, shown) => {
    expect(play('plain', [start('a', 'A'), log('a', time, 'x\n')])).toBe(`#1 A\n#1 ${shown} x\n`);
  });

  it('tells each of many steps at once in one piece, in the order in which they could speak', () => {
    const ids = ['a', 'b', 'c', 'd'];
    const text = play('plain', [
      ...ids.map((id) => start(id, id.toUpperCase())),
      ...[100, 200, 300].flatMap((time) => ids.map((id) => log(id, time, `${id}${time}\n`))),
      done('c', 400),
      done('b', 410),
      done('a', 420),
      done('d', 430),
    ]);
    const steps = text.trimEnd().split('\n\n');
    expect(steps.map((step) => step.split('\n')[0])).toEqual(['#1 A', '#2 B', '#3 C', '#4 D']);
    for (const [index, step] of steps.entries()) {
      const lines = step.split('\n').slice(1);
      expect(lines.every((line) => line.startsWith(`#${index + 1} `))).toBe(true);
      expect(lines.map((line) => line.split(' ')[1])).toEqual(['0.100', '0.200', '0.300', 'DONE']);
    }
  });

  it('keeps the two streams of a step from meeting within a line', () => {
    const err = (time: number, data: string): readonly [number, BuildEvent] => [
      time,
      { type: 'step-log', id: 'a', stream: 'stderr', data },
    ];
    const text = play('plain', [
      start('a', 'A'),
      log('a', 0, 'out'),
      err(0, 'err\n'),
      log('a', 0, 'put\n'),
      done('a', 0),
    ]);
    expect(text).toBe('#1 A\n#1 0.000 err\n#1 0.000 output\n#1 DONE 0.0s\n');
  });

  it('gives a talker who keeps the floor a break when megabytes wait, and loses nothing', () => {
    const piece = `${'x'.repeat(1023)}\n`;
    const text = play('plain', [
      start('a', 'A'),
      start('b', 'B'),
      log('a', 1, 'a1\n'),
      ...Array.from({ length: 5_000 }, () => log('b', 2, piece)),
      log('a', 3, 'a2\n'),
      done('a', 4),
      done('b', 5),
    ]);
    expect(text.match(/^#2 0\.002 x{1023}$/gm)).toHaveLength(5_000);
    expect(text).toContain('#1 0.001 a1\n#1 ...\n\n#2 B\n');
    expect(text).toContain('#1 0.003 a2\n#1 DONE 0.0s\n');
  });

  it('ends what was stopped with the rest, and reports each failure once', () => {
    const text = play('plain', [
      start('a', 'A'),
      start('b', 'B'),
      start('c', 'C'),
      log('b', 100, 'oh\n'),
      failed('b', 200, 'exit code: 1'),
      cancelled('a', 210),
      cancelled('c', 220),
      cancelled('never begun', 230),
    ]);
    expect(text).toBe(`#1 A
#1 CANCELED

#2 B
#2 0.100 oh
#2 ERROR: exit code: 1

#3 C
#3 CANCELED
------
 > B:
oh
------
`);
  });

  it.each([
    [true, '#1 A\n#1 why: package.json has changed\n#1 why: ARG V: 1 → 2\n#1 DONE 0.1s\n'],
    [false, '#1 A\n#1 DONE 0.1s\n'],
  ])('with explain %s says why a step is not cached, or not', (explain, shown) => {
    const events = [start('a', 'A'), explained('a', 1, 'package.json has changed', 'ARG V: 1 → 2'), done('a', 100)];
    expect(play('plain', events, { explain })).toBe(shown);
  });
});
