import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { BuildEvent } from '../../src/build/index.ts';
import { type ProgressKind, type ProgressStream, progressFor } from '../../src/ui/index.ts';

/** Collects what is written; `terminal` gives it a size. */
class Screen extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 60;
  readonly rows = 12;

  constructor(terminal: 'terminal' | 'pipe') {
    super();
    this.isTTY = terminal === 'terminal';
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

/** Plays events at their times (milliseconds) and returns what was written. */
function play(
  kind: ProgressKind,
  events: readonly (readonly [time: number, event: BuildEvent])[],
  terminal: 'terminal' | 'pipe' = 'pipe',
): string {
  const screen = new Screen(terminal);
  let time = 0;
  const progress = progressFor(kind, screen as ProgressStream, { now: () => time });
  for (const [at, event] of events) {
    time = at;
    progress.event(event);
  }
  progress.end();
  return screen.text;
}

const start = (id: string, title: string, time = 0): [number, BuildEvent] => [
  time,
  { type: 'step-start', id, title, time },
];
const log = (id: string, time: number, data: string): [number, BuildEvent] => [
  time,
  { type: 'step-log', id, stream: 'stdout', data },
];
const done = (id: string, time: number): [number, BuildEvent] => [time, { type: 'step-done', id, cached: false, time }];
const cached = (id: string, time: number): [number, BuildEvent] => [
  time,
  { type: 'step-done', id, cached: true, time },
];
const failed = (id: string, time: number, message: string): [number, BuildEvent] => [
  time,
  { type: 'step-error', id, message, time },
];

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
    expect(play('plain', events, 'terminal')).toContain('#1 0.000 \u001b[31mred\n');
    expect(play('plain', events, 'pipe')).toContain('#1 0.000 \u001b[2J\u001b[31mred\n');
  });

  it('writes what still waits when the build breaks off', () => {
    const text = play('plain', [start('a', 'A'), start('b', 'B'), log('a', 100, 'a1\n'), log('b', 200, 'b1\n')]);
    expect(text).toBe('#1 A\n#1 0.100 a1\n\n#2 B\n#2 0.200 b1\n');
  });
});

describe('other kinds', () => {
  const events = [
    start('a', 'A'),
    log('a', 100, 'out\n'),
    [150, { type: 'note', level: 'warning', message: 'careful' }] as [number, BuildEvent],
    [150, { type: 'note', level: 'info', message: 'by the way' }] as [number, BuildEvent],
    failed('a', 200, 'exit code: 3'),
  ];

  it('quiet shows warnings and the output of what failed', () => {
    expect(play('quiet', events)).toBe('WARNING: careful\n------\n > A:\nout\n------\n');
  });

  it.each([
    ['quiet', ''],
    [
      'plain',
      'WARNING: 2 warnings found in the Dockerfile (slipway check shows where):\n - A: a\\x1b (line 3)\n - B: b\n',
    ],
  ] as const)('%s sums up what checks found as %j', (kind, shown) => {
    const findings = [
      { rule: 'A', message: 'a\u001b', line: 3 },
      { rule: 'B', message: 'b' },
    ];
    const message = '2 warnings found in the Dockerfile';
    expect(play(kind, [[0, { type: 'note', level: 'warning', message, findings }]])).toBe(shown);
  });

  it('json writes every event as a line', () => {
    const lines = play('json', events).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events.map(([, event]) => event));
  });

  it('auto writes lines into a pipe', () => {
    expect(play('auto', [start('a', 'A'), done('a', 1_000)])).toBe('#1 A\n#1 DONE 1.0s\n');
  });
});

describe('tty progress', () => {
  it('leaves ended steps as lines cut to the width, and gives the cursor back', () => {
    const title = `[2/2] RUN ${'x'.repeat(100)}`;
    const text = play(
      'tty',
      [start('a', '[1/2] FROM busybox'), cached('a', 100), start('b', title, 100), done('b', 3_100)],
      'terminal',
    );
    // oxlint-disable-next-line no-control-regex -- the sequences are what is taken away
    const lines = text.replace(/\u001b\[[?0-9;]*[A-Za-z]|\r/g, '').split('\n');
    expect(lines).toContain(` => CACHED [1/2] FROM busybox${' '.repeat(26)} 0.1s`);
    expect(lines.some((line) => /^ => \[2\/2\] RUN x+… 3\.0s$/.test(line) && line.length <= 60)).toBe(true);
    expect(text.endsWith('\u001b[?25h')).toBe(true);
  });
});
