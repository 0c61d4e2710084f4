import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type BuildEvent } from '../../../src/build/index.ts';
import {
  displayWidth,
  type ProgressOptions,
  type ProgressRenderer,
  type ProgressStream,
  progressFor,
} from '../../../src/ui/index.ts';
import { cached, done, explained, failed, log, plan, play, Screen, start, type Timed, warning } from './play.ts';
import { terminalAfter } from './terminal.ts';

/** A terminal in which a build runs; time passes when the test says so. */
class Watched {
  readonly screen = new Screen('terminal');
  readonly progress: ProgressRenderer;

  constructor(options: ProgressOptions = {}) {
    this.progress = progressFor('tty', this.screen as ProgressStream, { env: {}, summary: false, ...options });
  }

  async play(...events: readonly Timed[]): Promise<void> {
    for (const [time, event] of events) {
      await jest.advanceTimersByTimeAsync(Math.max(0, time - Date.now()));
      this.progress.event(event as BuildEvent);
    }
    await jest.advanceTimersByTimeAsync(100);
  }

  get rows(): string[] {
    return terminalAfter(this.screen.text, this.screen.columns).filter((row) => row !== '');
  }
}

const bytes = (id: string, time: number, current: number, total?: number): Timed => [
  time,
  { type: 'step-progress', id, label: 'unpack 3f4a', current, ...(total === undefined ? {} : { total }) },
];

describe('tty progress', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('draws the steps that run with their times and last lines under those that ended', async () => {
    const watched = new Watched();
    await watched.play(
      plan({ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }),
      start('a', '[1/2] FROM busybox'),
      done('a', 100),
      start('b', '[a 2/2] RUN make', 100),
      start('c', '[b 2/2] RUN test', 100),
      log('b', 1_000, 'one\ntwo\nhalf a l'),
      log('c', 2_000, 'ok 1\n'),
    );
    expect(watched.rows).toEqual([
      ` => [1/2] FROM busybox${' '.repeat(33)} 0.1s`,
      '[+] Building 2.1s (1/4), 2 running',
      ` => [a 2/2] RUN make${' '.repeat(35)} 2.0s`,
      ' => => # one',
      ' => => # two',
      ' => => # half a l',
      ` => [b 2/2] RUN test${' '.repeat(35)} 2.0s`,
      ' => => # ok 1',
    ]);
    watched.progress.end();
  });

  it.each([
    ['0', 0],
    ['2', 2],
    ['nonsense', 6],
  ])('shows as many last lines as TTY_LOG_LINES=%s says: %d', async (text, count) => {
    const watched = new Watched({ env: { TTY_LOG_LINES: text } });
    await watched.play(start('a', 'A'), log('a', 0, 'x\n'.repeat(20)));
    expect(watched.rows.filter((row) => row.startsWith(' => => # x'))).toHaveLength(count);
    watched.progress.end();
  });

  it('condenses cache hits that follow one another', async () => {
    const watched = new Watched();
    const hits = Array.from({ length: 5 }, (_, index) => [
      start(`h${index}`, `[${index + 1}/7] RUN ${index}`, index),
      cached(`h${index}`, index, { saved: 60_000 }),
    ]).flat();
    await watched.play(...hits, start('a', '[6/7] RUN make', 10));
    expect(watched.rows[0]).toMatch(/^ => CACHED 5 steps, 300\.0s saved, the last \[5\/7\] RUN 4/);
    await watched.play(done('a', 1_000), start('b', '[7/7] RUN x', 1_000), cached('b', 1_001));
    watched.progress.end();
    expect(watched.rows.map((row) => row.replace(/ +\d+\.\ds$/, ''))).toEqual([
      expect.stringMatching(/^ => CACHED 5 steps/),
      ' => [6/7] RUN make',
      ' => CACHED [7/7] RUN x',
      expect.stringMatching(/^\[\+\] Building .* \(7\/7\), 6 cached FINISHED$/),
    ]);
  });

  it('draws transfers as bars, as wide as there is room for', async () => {
    const watched = new Watched();
    watched.screen.columns = 90;
    await watched.play(start('a', 'A'), bytes('a', 0, 5_000_000, 10_000_000));
    expect(watched.rows.at(-1)).toBe(' => => unpack 3f4a [===========>            ] 5MB / 10MB');
    watched.screen.columns = 50;
    await watched.play(bytes('a', 500, 10_000_000, 20_000_000));
    expect(watched.rows.at(-1)).toBe(' => => unpack 3f4a 10MB / 20MB');
    await watched.play(bytes('a', 700, 20_000_000, 20_000_000));
    expect(watched.rows.at(-1)).toMatch(/^ => A +\d\.\ds$/);
    watched.progress.end();
  });

  it('never draws more rows or columns than the terminal has', async () => {
    const watched = new Watched();
    watched.screen.columns = 24;
    const ids = Array.from({ length: 40 }, (_, index) => `s${index}`);
    await watched.play(
      ...ids.map((id) => start(id, `[${id} 1/1] RUN ${'long '.repeat(20)}`)),
      ...ids.slice(0, 20).map((id) => log(id, 20_000, '漢字かな交じり文のとても長い行、端末より長い\n')),
    );
    expect(watched.rows.length).toBeLessThanOrEqual(watched.screen.rows);
    expect(watched.rows.every((row) => displayWidth(row) <= 24)).toBe(true);
    expect(watched.rows.at(-1)).toMatch(/^ => and \d+ more that run$/);
    watched.progress.end();
  });

  it('of many steps shows those that speak, in the order in which they began', async () => {
    const watched = new Watched();
    const ids = Array.from({ length: 30 }, (_, index) => `s${index}`);
    await watched.play(...ids.map((id) => start(id, id)), log('s29', 20_000, 'here\n'), log('s3', 20_000, 'too\n'));
    const shown = watched.rows.flatMap((row) => /^ => (s\d+) /.exec(row)?.[1] ?? []);
    expect(shown).toEqual([...shown].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
    expect(shown).toEqual(expect.arrayContaining(['s3', 's29']));
    watched.progress.end();
  });

  it('writes a frame at once, ten a second at most, and none where nothing changes', async () => {
    const watched = new Watched();
    let writes = 0;
    const write = watched.screen.write.bind(watched.screen);
    watched.screen.write = ((chunk: string) => {
      writes += 1;
      expect(chunk.startsWith('\u001b[?2026h')).toBe(true);
      expect(chunk.endsWith('\u001b[?2026l')).toBe(true);
      return write(chunk);
    }) as typeof watched.screen.write;
    await watched.play(start('a', 'A'), ...Array.from({ length: 900 }, (_, time) => log('a', time, 'x\n')));
    expect(writes).toBeLessThanOrEqual(10);
    watched.screen.write = write;
    watched.progress.end();
  });

  it('puts what stays under nothing and over nothing, whatever the size changes to', async () => {
    const watched = new Watched();
    await watched.play(start('a', '[1/1] RUN make'), log('a', 0, `${'y'.repeat(50)}\n`));
    // A narrower terminal wraps what it shows.
    const wrapped = terminalAfter(watched.screen.text, 60).flatMap((row) => row.match(/.{1,30}/g) ?? []);
    watched.screen.text = wrapped.map((row) => `${row}\r\n`).join('');
    watched.screen.columns = 30;
    watched.screen.emit('resize');
    await watched.play(warning(1_000, 'careful'), done('a', 2_000));
    watched.progress.end();
    expect(watched.rows).toEqual([
      'WARNING: careful',
      ` => [1/1] RUN make${' '.repeat(7)} 2.0s`,
      expect.stringMatching(/^\[\+\] Building 2\.\ds \(1\/1\) FINISH/),
      'ED',
    ]);
  });

  it('lets nothing of a step act on the terminal', async () => {
    const watched = new Watched();
    await watched.play(start('a', 'A\u001b[2J'), log('a', 0, '\u001b]0;title\u0007\u001b[5Aup\u001b[31mred\n'));
    expect(watched.rows.slice(1)).toEqual([expect.stringMatching(/^ => A\\x1b\[2J +0\.1s$/), ' => => # upred']);
    watched.progress.end();
  });

  it('gives the terminal away and draws anew when it has it back', async () => {
    const watched = new Watched();
    await watched.play(start('a', 'A'));
    watched.progress.suspend();
    expect(watched.rows).toEqual([]);
    expect(watched.screen.text.endsWith('\u001b[?25h')).toBe(true);
    watched.screen.text = '';
    await watched.play(log('a', 1_000, 'x\n'));
    expect(watched.screen.text).toBe('');
    watched.progress.resume();
    await watched.play(log('a', 2_000, 'y\n'));
    expect(watched.rows.slice(-2)).toEqual([' => => # x', ' => => # y']);
    watched.progress.end();
  });

  it('gives the terminal back when it is stopped, and draws anew when it goes on', async () => {
    const watched = new Watched();
    await watched.play(start('a', 'A'));
    const atStop: string[] = [];
    const kill = jest.spyOn(process, 'kill').mockImplementation((pid, signal) => {
      atStop.push(`${pid === process.pid ? 'itself' : pid} ${signal}`, watched.screen.text.slice(-6), ...watched.rows);
      watched.screen.text = '';
      return true;
    });
    process.emit('SIGTSTP');
    expect(atStop).toEqual(['itself SIGSTOP', '\u001b[?25h']);
    expect(watched.rows).toEqual([expect.stringMatching(/^\[\+\] Building/), expect.stringMatching(/^ => A/)]);
    watched.progress.end();
    expect(process.listenerCount('SIGTSTP')).toBe(0);
    kill.mockRestore();
  });

  it('says under each step why it is not cached, also when it has ended', async () => {
    const watched = new Watched({ explain: true });
    await watched.play(start('a', 'A'), explained('a', 0, 'file x has changed'));
    expect(watched.rows.slice(1)).toEqual([expect.stringMatching(/^ => A/), ' => => why: file x has changed']);
    await watched.play(done('a', 500));
    watched.progress.end();
    expect(watched.rows.slice(0, 2)).toEqual([expect.stringMatching(/^ => A/), ' => => why: file x has changed']);
  });

  it('ends with the output of what failed and the error counted', async () => {
    const watched = new Watched();
    await watched.play(start('a', 'A'), log('a', 0, 'oh\nno\n'), failed('a', 100, 'exit code: 1'));
    watched.progress.end(new Error('x'));
    expect(watched.rows).toEqual([
      expect.stringMatching(/^ => ERROR A +0\.1s$/),
      expect.stringMatching(/^\[\+\] Building 0\.\ds \(1\/1\), 1 failed$/),
      '------',
      ' > A:',
      'oh',
      'no',
      '------',
    ]);
  });
});

describe('colours of the tty progress', () => {
  const events = [start('a', 'A'), failed('a', 0, 'x'), start('b', 'B'), done('b', 0)];
  const shown = (env: NodeJS.ProcessEnv): string => play('tty', events, { on: 'terminal', env });

  it.each([
    ['are red and blue', {}, ['\u001b[31m => ERROR A', '\u001b[34m => B']],
    ['are none with NO_COLOR', { NO_COLOR: '1' }, []],
    ['are none with CLICOLOR=0', { CLICOLOR: '0' }, []],
    [
      'are those of BUILDKIT_COLORS',
      { BUILDKIT_COLORS: 'error=light-magenta:run=1,2,3' },
      ['\u001b[95m => ERROR A', '\u001b[38;2;1;2;3m => B'],
    ],
    [
      'are the usual ones where BUILDKIT_COLORS is wrong',
      { BUILDKIT_COLORS: 'error=1,2,999:run=__proto__:toString=red:x' },
      ['\u001b[31m => ERROR A', '\u001b[34m => B'],
    ],
    ['are none with NO_COLOR, whatever BUILDKIT_COLORS says', { NO_COLOR: '1', BUILDKIT_COLORS: 'run=red' }, []],
  ] as const)('%s', (_, env, found) => {
    const text = shown(env);
    for (const part of found) expect(text).toContain(part);
    // oxlint-disable-next-line no-control-regex -- colours are looked for
    if (found.length === 0) expect(text).not.toMatch(/\u001b\[[0-9;]*m/);
  });
});
