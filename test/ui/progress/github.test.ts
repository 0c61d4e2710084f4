import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { BuildError } from '../../../src/build/index.ts';
import { DockerfileError } from '../../../src/dockerfile/index.ts';
import { cached, done, explained, failed, log, plan, play, start, type Timed, warning } from './play.ts';
import { obeyed } from './runner.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-github-'));
const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: '/repo' };
const dockerfile = '/repo/app/Dockerfile';
const withoutTokens = (text: string): string => text.replaceAll(/slipway-[0-9a-f]{32}/g, 'TOKEN');
const show = (events: readonly Timed[], more: Parameters<typeof play>[2] = {}): string =>
  play('github', events, { env, dockerfile, ...more });

/** What hostile output looks like; each line is a command where lines of a step are obeyed. */
const attacks = [
  '::set-output name=a::b',
  '::add-mask::e',
  '  ::error file=x::y',
  '##[error]old',
  'text ##[add-path]/evil',
  '::endgroup::',
  '::stop-commands::mine',
  '::TOKEN::',
  'x\r::warning::after a carriage return',
  '\u001b[0m::notice::after a colour',
  '\u001b[2K::notice::after a sequence',
];

describe('github progress', () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  it('folds each step that does something, and tells the others in a line', () => {
    const text = show([
      plan({ id: 'a' }, { id: 'b' }),
      start('a', '[1/2] FROM busybox'),
      cached('a', 10),
      start('b', '[2/2] RUN make', 20),
      explained('b', 30, 'new'),
      log('b', 143, 'linking\n'),
      done('b', 1_520),
    ]);
    expect(withoutTokens(text)).toBe(`#1 CACHED [1/2] FROM busybox
::group::#2 [2/2] RUN make
::stop-commands::TOKEN
0.123 linking
::TOKEN::
::endgroup::
#2 DONE 1.5s [2/2] RUN make
`);
  });

  it('keeps the lines of a step together when several run', () => {
    const text = show([
      start('a', 'A'),
      start('b', 'B'),
      log('a', 1, 'a1\n'),
      log('b', 2, 'b1\n'),
      log('a', 60_000, 'a2\n'),
      done('b', 61_000),
      log('a', 62_000, 'a3\n'),
      done('a', 63_000),
    ]);
    const words = text.split('\n').filter((line) => !/TOKEN|slipway-/.test(line));
    expect(words).toEqual([
      '::group::#1 A',
      '0.001 a1',
      '60.00 a2',
      '62.00 a3',
      '::endgroup::',
      '#1 DONE 63.0s A',
      '::group::#2 B',
      '0.002 b1',
      '::endgroup::',
      '#2 DONE 61.0s B',
      '',
    ]);
  });

  it('tells what comes meanwhile after the group, so that it is obeyed and the group stays whole', () => {
    const text = show([
      start('a', 'A'),
      start('b', 'B'),
      log('a', 1, 'a1\n'),
      cached('b', 2),
      [3, { type: 'note', level: 'warning', message: '1 found', findings: [{ rule: 'R', message: 'm', line: 1 }] }],
      log('a', 4, 'a2\n'),
      done('a', 5),
    ]);
    expect(withoutTokens(text)).toBe(`::group::#1 A
::stop-commands::TOKEN
0.001 a1
0.004 a2
::TOKEN::
::endgroup::
#1 DONE 0.0s A
#2 CACHED B
WARNING: 1 found (slipway check shows where):
 - R: m (line 1)
::warning file=app/Dockerfile,line=1,title=R::m
`);
  });

  it('has another token for each group', () => {
    const text = show(['a', 'b', 'c'].flatMap((id) => [start(id, id), log(id, 0, 'x\n'), done(id, 0)]));
    const tokens = [...text.matchAll(/stop-commands::(\S+)/g)].map(([, token]) => token);
    expect(new Set(tokens).size).toBe(3);
  });

  it.each(attacks)('obeys nothing that a step prints: %j', (line) => {
    const text = show([start('a', 'A'), log('a', 0, `before\n${line}\nafter\n`), failed('a', 1, 'exit code: 1')]);
    const { commands, stopped } = obeyed(text);
    expect(commands.map((command) => command.slice(0, 9))).toEqual(['::group::', '::endgrou', '::error t']);
    expect(stopped).toBe(false);
    expect(text).toContain('after\n');
  });

  it.each(attacks)('obeys nothing in titles, notes and messages: %j', (line) => {
    const finding = { rule: line, message: line, line: 1 };
    const text = show([
      start('a', line),
      log('a', 0, 'x\n'),
      warning(0, line),
      [0, { type: 'note', level: 'warning', message: line, findings: [finding] }],
      failed('a', 1, line),
      start('b', line),
      cached('b', 1),
    ]);
    const { commands } = obeyed(text);
    expect(commands.map((command) => command.slice(0, 7))).toEqual(['::group', '::endgr', '::warni', '::error']);
  });

  it('obeys nothing of the error that is shown after it, until the process ends', () => {
    const text = show([start('a', 'A'), failed('a', 1, 'x')], { error: new Error('x') });
    expect(obeyed(`${text}ERROR: ##[add-path]/evil\n::add-mask::e\n`)).toMatchObject({ stopped: true });
    const last = process.listeners('exit').at(-1);
    expect(last).toBeDefined();
    process.removeListener('exit', last as NodeJS.ExitListener);
  });

  it('points at the lines of what failed, with the end of its output', () => {
    const text = show([
      plan({ id: 'a', location: { start: 3, end: 5 } }),
      start('a', '[1/1] RUN a, b: 100%'),
      log('a', 0, '\u001b[31mno\u001b[0m 50%\n'),
      failed('a', 1, 'exit code: 1'),
    ]);
    expect(text.trimEnd().split('\n').at(-1)).toBe(
      '::error file=app/Dockerfile,line=3,endLine=5,title=[1/1] RUN a%2C b%3A 100%25::exit code: 1%0Ano 50%25',
    );
  });

  it('names the Dockerfile of each plan, as bake has several, and no line where it is no file here', () => {
    const of = (id: string, path: string | undefined): Timed => [
      0,
      {
        type: 'plan',
        dockerfile: 'Dockerfile',
        path,
        time: 0,
        steps: [{ id, title: id, kind: 'run', stage: '0', needs: [], location: { start: 2, end: 2 } }],
      },
    ];
    const events = [of('a', '/repo/a/Dockerfile'), of('b', undefined), start('a', 'A'), start('b', 'B')];
    const text = show([...events, failed('a', 1, 'x'), failed('b', 1, 'x')], { dockerfile: undefined });
    expect(text).toContain('::error file=a/Dockerfile,line=2,endLine=2,title=A::x\n::error title=B::x\n');
  });

  it.each([
    [
      new DockerfileError('SYNTAX', 'unknown instruction: FORM', { range: { start: 2, end: 2 } }),
      '::error file=app/Dockerfile,line=2,endLine=2,title=slipway build::unknown instruction: FORM',
    ],
    [
      new BuildError('CONTEXT_NOT_FOUND', 'unable to prepare context'),
      '::error title=slipway build::unable to prepare context',
    ],
    [new DOMException('interrupted', 'AbortError'), ''],
  ])('annotates what failed outside of steps: %s', (error, line) => {
    const lines = show([], { error }).trimEnd().split('\n');
    process.removeListener('exit', process.listeners('exit').at(-1) as NodeJS.ExitListener);
    expect(lines.slice(0, -1).join('\n')).toBe(line);
  });

  it('points at what checks found', () => {
    const findings = [{ rule: 'StageNameCasing', message: "Stage name 'A' should be lowercase", line: 1 }];
    const text = show([
      [0, { type: 'note', level: 'warning', message: '1 warning found in the Dockerfile', findings }],
    ]);
    expect(text).toContain(
      "::warning file=app/Dockerfile,line=1,title=StageNameCasing::Stage name 'A' should be lowercase\n",
    );
  });

  it.each([
    ['/repo/Dockerfile', '/repo', 'Dockerfile'],
    ['/elsewhere/Dockerfile', '/repo', '/elsewhere/Dockerfile'],
    ['/repository/Dockerfile', '/repo', '/repository/Dockerfile'],
  ])('names %s in %s as %s', (path, workspace, file) => {
    const text = show([plan({ id: 'a', location: { start: 1, end: 1 } }), start('a', 'A'), failed('a', 1, 'x')], {
      dockerfile: path,
      env: { GITHUB_WORKSPACE: workspace },
    });
    expect(text).toContain(`::error file=${file},line=1,endLine=1,title=A::x`);
  });

  it('adds the build to the job summary, with nothing in it that Markdown or HTML would obey', () => {
    const path = join(folder, 'summary.md');
    const title = '[1/1] RUN <img src=x onerror=a()> | `b` [c](http://d) @e';
    const events = [
      plan({ id: 'a' }),
      start('a', title),
      log('a', 0, '</pre><script>x</script>\n'),
      failed('a', 1_000, 'exit code: 1'),
    ];
    show(events, { env: { ...env, GITHUB_STEP_SUMMARY: path }, error: new Error('x') });
    show([start('a', 'A'), done('a', 10, { size: 1_000 })], { env: { ...env, GITHUB_STEP_SUMMARY: path } });
    process.removeListener('exit', process.listeners('exit').at(-1) as NodeJS.ExitListener);
    const text = readFileSync(path, 'utf8');
    expect(text.match(/^### /gm)).toHaveLength(2);
    const row = text.split('\n').find((line) => line.includes('❌ failed'));
    expect(row?.match(/\|/g)).toHaveLength(6);
    expect(row).not.toMatch(/[<>`[\]()@]/);
    expect(text).toContain('<pre>&#60;/pre&#62;&#60;script&#62;x&#60;/script&#62;</pre>');
    expect(text).toContain('| A | ✅ done | 0.0s | 1kB |  |');
  });

  it('says so where the job summary cannot be written, and goes on', () => {
    const text = show([start('a', 'A'), done('a', 10)], {
      env: { ...env, GITHUB_STEP_SUMMARY: join(folder, 'no', 'x') },
    });
    expect(text).toContain('the job summary could not be written: no such file or directory');
  });
});
