import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type BuildEvent, BuildHistory, type BuildRequest, buildStateOf } from '../../../src/build/index.ts';
import { recordBuild } from '../../../src/build/history/record-build.ts';
import { summariseRequest } from '../../../src/build/history/summarise-request.ts';

const request: BuildRequest = {
  context: '/src/app',
  buildArgs: {},
  labels: {},
  contexts: {},
  noCache: false,
  pull: false,
  tags: ['app'],
  outputs: [],
  push: false,
  isolation: 'auto',
  network: 'host',
};

const result = {
  imageId: 'sha256:1',
  names: ['docker.io/library/app:latest'],
  metadata: { 'containerimage.digest': 'sha256:2' },
};

describe('the history of builds', () => {
  let root: string;
  let history: BuildHistory;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-history-'));
    history = new BuildHistory(root);
  });
  afterEach(() => rm(root, { recursive: true }));

  const build = async (
    events: readonly BuildEvent[],
    more: Partial<BuildRequest> = {},
    error?: Error,
  ): Promise<void> => {
    const recorded = recordBuild({ ...request, ...more }, { root, onEvent: () => {} }, async ({ onEvent }) => {
      for (const event of events) onEvent(event);
      if (error !== undefined) throw error;
      return result;
    });
    if (error === undefined) await recorded;
    else await expect(recorded).rejects.toBe(error);
  };
  const collect = async (id: string): Promise<unknown[]> => {
    const events: unknown[] = [];
    for await (const event of history.events(id)) events.push(event);
    return events;
  };

  it('keeps what was asked for, each step, what came of it, and all events', async () => {
    const events: BuildEvent[] = [
      {
        type: 'plan',
        dockerfile: 'Dockerfile',
        time: 1,
        steps: [{ id: 's0', title: 'RUN a', kind: 'run', stage: 'x', needs: [] }],
      },
      { type: 'step-start', id: 's0', title: 'RUN a', time: 2 },
      { type: 'step-explained', id: 's0', reasons: [{ part: 'new', text: 'new' }] },
      { type: 'step-log', id: 's0', stream: 'stdout', data: 'hello\n' },
      { type: 'step-done', id: 's0', cached: false, time: 5, digest: 'sha256:3', size: 7 },
    ];
    await build(events, { target: 'x' });
    const [record] = await history.list();
    expect(record).toMatchObject({
      state: 'done',
      request: { context: '/src/app', target: 'x', tags: ['app'] },
      imageId: 'sha256:1',
      digest: 'sha256:2',
      names: ['docker.io/library/app:latest'],
      steps: [
        {
          id: 's0',
          title: 'RUN a',
          kind: 'run',
          stage: 'x',
          outcome: 'done',
          started: 2,
          ended: 5,
          digest: 'sha256:3',
          size: 7,
          reasons: [{ part: 'new', text: 'new' }],
        },
      ],
    });
    const times = { time: expect.any(Number) };
    expect(await collect(record?.id ?? '')).toEqual(events.map((event) => ({ ...times, ...event })));
  });

  it.each([
    ['failed', Object.assign(new Error('no'), {}), { state: 'failed', error: { message: 'no' } }],
    ['cancelled', new DOMException('interrupted', 'AbortError') as Error, { state: 'cancelled' }],
  ])('keeps a build that %s, and passes its error on', async (_, error, record) => {
    await build([], {}, error);
    expect((await history.list())[0]).toMatchObject(record);
  });

  it('keeps as many as are wanted, and none where none is', async () => {
    for (let count = 0; count < 5; count += 1) await build([], { target: String(count), history: 3 });
    expect((await history.list()).map(({ request: { target } }) => target)).toEqual(['4', '3', '2']);
    await build([], { history: 0 });
    expect(await history.list()).toHaveLength(3);
  });

  it('writes no secret, whatever step prints it in whatever pieces', async () => {
    const known: Buffer[] = [];
    await expect(
      recordBuild(request, { root, onEvent: () => {} }, async ({ onEvent, hide }) => {
        hide(() => known);
        onEvent({ type: 'step-start', id: 's', title: 'RUN', time: 1 });
        known.push(Buffer.from('tiger-lily-9\n'));
        for (const data of ['it is tiger', '-lily-9', ' and tiger'])
          onEvent({ type: 'step-log', id: 's', stream: 'stdout', data });
        onEvent({ type: 'step-error', id: 's', message: 'process "tiger-lily-9" failed', time: 2 });
        throw new Error('tiger-lily-9');
      }),
    ).rejects.toThrow('tiger-lily-9');
    const [id = ''] = await readdir(history.folder);
    for (const file of await readdir(history.folderOf(id))) {
      expect(await readFile(join(history.folderOf(id), file), 'utf8')).not.toContain('tiger-lily');
    }
    const said = (await collect(id)).map((event) => (event as { data?: string }).data ?? '').join('');
    expect(said).toBe('it is *** and tiger');
  });

  it('does not fail a build whose history cannot be written', async () => {
    await writeFile(join(root, 'builds'), 'a file where a folder should be');
    await build([{ type: 'step-start', id: 's', title: 'RUN', time: 1 }]);
    expect(await history.list()).toEqual([]);
  });

  it('finds a build by the beginning of its id, the newest where none is given', async () => {
    await build([], { target: 'old' });
    await build([], { target: 'new' });
    const [newest, oldest] = await history.list();
    expect((await history.find(undefined)).id).toBe(newest?.id);
    expect((await history.find(oldest?.id.slice(0, 11))).id).toBe(oldest?.id);
    await expect(history.find('m')).rejects.toMatchObject({ code: 'NO_SUCH_BUILD', message: 'more than one build: m' });
    await expect(history.find('../../etc')).rejects.toMatchObject({ code: 'NO_SUCH_BUILD' });
  });

  it('leaves out what is torn, and touches no folder that is no build', async () => {
    await build([]);
    const [record] = await history.list();
    await writeFile(join(history.folderOf(record?.id ?? ''), 'record.json'), '{"version":1,"id":');
    await mkdir(join(history.folder, 'something-else'));
    expect(await history.list()).toEqual([]);
    await history.remove('../builds/something-else');
    await history.prune(0);
    expect(existsSync(join(history.folder, 'something-else'))).toBe(true);
  });

  it('knows a build that was killed from one that runs', async () => {
    let running: unknown;
    await recordBuild(request, { root, onEvent: () => {} }, async () => {
      while ((await history.list()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      running = (await history.list()).map(buildStateOf);
      const [record] = await history.list();
      if (record !== undefined)
        running = [running, buildStateOf({ ...record, process: { ...record.process, startTime: '1' } })];
      await history.prune(0);
      expect(await history.list()).toHaveLength(1);
      return result;
    });
    expect(running).toEqual([['running'], 'interrupted']);
  });
});

describe('summariseRequest', () => {
  it('keeps no value that is called like a secret and no password of an address', () => {
    const summary = summariseRequest({
      ...request,
      context: 'https://me:pass@example.com/repo.git#main',
      buildArgs: { API_TOKEN: 't', VERSION: '1', MIRROR: 'http://u:p@mirror/' },
      contexts: { base: 'git+ssh://git:pw@host/x', tar: 'https://host/x.tar?key=pw', git: 'https://host/x.git?tag=1' },
    });
    expect(summary).toMatchObject({
      context: 'https://***@example.com/repo.git#main',
      buildArgs: { API_TOKEN: '***', VERSION: '1', MIRROR: 'http://***@mirror/' },
      contexts: { base: 'git+ssh://***@host/x', tar: 'https://host/x.tar?…', git: 'https://host/x.git?tag=1' },
    });
  });
});
