import { describe, expect, it } from '@jest/globals';
import type { BuildRecord } from '../../src/build/index.ts';
import { UsageError } from '../../src/errors.ts';
import { buildFilter, buildName, buildRow, buildText } from '../../src/ui/index.ts';

const record: BuildRecord = {
  version: 1,
  id: 'mx05butv60ky',
  state: 'done',
  started: Date.UTC(2026, 0, 1),
  ended: Date.UTC(2026, 0, 1, 0, 1, 5),
  process: { pid: 1, startTime: '1', bootId: 'x' },
  request: {
    context: '/src/app/',
    platforms: [],
    tags: [],
    buildArgs: { A: '1', B: '' },
    contexts: {},
    outputs: ['registry'],
    noCache: false,
    pull: false,
    push: true,
  },
  imageId: 'sha256:abc',
  names: ['docker.io/library/app:latest'],
  steps: [
    { id: 's0', title: 'RUN \u001b[2J', outcome: 'cached', started: 0, ended: 100, size: 1_000, saved: 61_000 },
    { id: 's1', title: 'RUN b', outcome: 'error', started: 100, ended: 2_100 },
  ],
};

describe('buildName', () => {
  it.each([
    ['the name in the store', {}, 'app:latest'],
    ['the name that was asked for', { names: [], request: { ...record.request, tags: ['x/y'] } }, 'x/y'],
    ['the folder', { names: undefined }, 'app'],
    ['the stage as well', { request: { ...record.request, target: 'test' } }, 'app:latest (test)'],
  ])('is %s', (_, change, name) => {
    expect(buildName({ ...record, ...change })).toBe(name);
  });
});

describe('buildRow', () => {
  it.each([
    ['done', {}, ['Completed', '65.0s']],
    ['failed', { state: 'failed' }, ['Error', '65.0s']],
    ['cancelled', { state: 'cancelled' }, ['Canceled', '65.0s']],
    ['running, but its process is dead', { state: 'running', ended: undefined }, ['Interrupted', '']],
  ] as const)('of one that is %s', (_, change, cells) => {
    const row = buildRow({ ...record, ...change }, Date.UTC(2026, 0, 2));
    expect([row['Status'], row['Duration']]).toEqual(cells);
    expect(row).toMatchObject({ ID: 'mx05butv60ky', CreatedAt: '24 hours ago', Steps: '2', Cached: '1' });
  });
});

describe('buildFilter', () => {
  it.each([
    [[], true],
    [['status=completed'], true],
    [['status=done'], true],
    [['status=error'], false],
    [['status=error', 'status=completed'], true],
    [['name=app'], true],
    [['name=other'], false],
    [['name=app', 'status=running'], false],
  ])('%j: %s', (filters, kept) => {
    expect(buildFilter(filters)(record)).toBe(kept);
  });

  it.each([['status=odd'], ['size=1'], ['nothing']])('does not know %s', (filter) => {
    expect(() => buildFilter([filter])).toThrow(UsageError);
  });
});

describe('buildText', () => {
  it('tells all of a build that is known', () => {
    expect(buildText(record)).toBe(`Name:         app:latest
Build ID:     mx05butv60ky
Status:       done
Started:      2026-01-01T00:00:00.000Z
Duration:     65.0s
Context:      /src/app/
Build args:   A=1, B=
Outputs:      registry
Image ID:     sha256:abc
Names:        docker.io/library/app:latest

STEP          OUTCOME   TOOK      SIZE      SAVED
RUN \\x1b[2J   cached    0.1s      1kB       61.0s
RUN b         failed    2.0s                ${''}
`);
  });
});
