import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ourRegistry } from './our-registry.ts';
import { describeWith, succeed } from './peer-programs.ts';
import { runCli, type RunOptions, slipway, testHome } from './run-cli.ts';

// What `build` tells of a Dockerfile without building it.

let home: string;
let context: string;
const dockerfile = `# build makes the shop
FROM --platform=$BUILDPLATFORM base-$BUILDARCH AS build
RUN make deps
ARG TARGETARCH
RUN make shop
FROM run-$TARGETARCH
COPY --from=build /shop /
`;

beforeAll(async () => {
  home = await testHome();
  context = join(home, 'context');
  await mkdir(context);
  await writeFile(join(context, 'Dockerfile'), dockerfile);
});

const json = async (args: readonly string[], options?: RunOptions): Promise<unknown> =>
  JSON.parse(await slipway(['build', ...args], options));

describe('a Dockerfile alone', () => {
  it('is printed as instructions', async () => {
    expect(await json(['--print=ast', context])).toMatchObject({
      version: 1,
      source: { name: 'Dockerfile', text: dockerfile },
      instructions: [{ name: 'FROM', args: ['base-$BUILDARCH', 'AS', 'build'] }, {}, {}, {}, {}, {}],
    });
  });

  it('is printed as stages', async () => {
    expect(await json(['--print=stages', '--format=json', context])).toMatchObject({
      version: 1,
      stages: [
        { name: 'build', platform: '$BUILDPLATFORM', description: 'makes the shop' },
        { index: 1, base: 'run-$TARGETARCH' },
      ],
    });
  });

  it('is listed as targets', async () => {
    expect(await slipway(['build', '--call=targets', context])).toBe(
      'TARGET    DESCRIPTION\nbuild     makes the shop\n(default) \n',
    );
    expect(await json(['--call=targets,format=json', context])).toMatchObject({
      targets: [{ name: 'build' }, { default: true }],
      sources: [Buffer.from(dockerfile).toString('base64')],
    });
  });

  it('shows no control characters of a description', async () => {
    const input = '# x a\x1b[2Jb\nFROM a AS x\n';
    expect(await slipway(['build', '--call=targets', '-'], { input })).toBe(
      'TARGET      DESCRIPTION\nx (default) a\\x1b[2Jb\n',
    );
  });

  it('may come through standard input, beside a context or alone', async () => {
    const input = 'FROM scratch AS only\n';
    const only = { stages: [{ name: 'only' }] };
    expect(await json(['--print=stages', '-f', '-', context], { input })).toMatchObject(only);
    expect(await json(['--print=stages', '-'], { input })).toMatchObject(only);
  });

  it('needs no store, and leaves nothing behind', async () => {
    const folder = await mkdtemp(join(home, 'tmp-'));
    const env = { SLIPWAY_ROOT: join(folder, 'store'), TMPDIR: folder };
    await slipway(['build', '--print=ast', context], { env });
    await slipway(['build', '--print=stages', context], { env });
    await slipway(['build', '--call=targets', context], { env });
    await succeed('tar', ['-cf', join(home, 'context.tar'), '-C', context, 'Dockerfile']);
    const archive = await readFile(join(home, 'context.tar'));
    expect(await json(['--print=stages', '-'], { env, input: archive })).toMatchObject({
      stages: [{ name: 'build' }, {}],
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<readonly [args: string, stderr: RegExp, code: number]>([
    ['--print=tree', /expected one of ast, stages, graph/, 125],
    ['--print=ast --format=dot', /--format dot draws graphs/, 125],
    ['--format=json', /--format belongs to --print/, 125],
    ['--call=nothing', /--call=nothing is not supported/, 125],
    ['--print=ast --call=targets', /cannot be used together/, 125],
    ['--print=ast -f nosuch', /open nosuch: no such file/, 1],
    ['--print=stages -f -', /Dockerfile:2:1\n-+\n.*\n.*>>> RUM x/, 1],
    ['--print=graph --target=biuld', /target stage "biuld" could not be found \(did you mean build\?\)/, 1],
  ])('with %s fails', async (args, message, expected) => {
    const { code, stdout, stderr } = await runCli(['build', ...args.split(' '), context], { input: 'FROM a\nRUM x\n' });
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describeWith([], 'a Dockerfile with its bases', () => {
  beforeAll(async () => {
    const archive = join(home, 'base.tar');
    await succeed('tar', ['-cf', archive, '-C', context, 'Dockerfile']);
    for (const architecture of ['amd64', 'arm64', 's390x']) {
      const platform = `linux/${architecture}`;
      await slipway(['import', '--platform', platform, '-c', 'ENV FROM=base', archive, `base-${architecture}`]);
      await slipway(['tag', `base-${architecture}`, `run-${architecture}`]);
    }
  }, 60_000);

  it('is printed as the graph of one platform', async () => {
    expect(await json(['--print=graph', '--platform=linux/s390x', '--label=a=b', context])).toMatchObject({
      version: 1,
      target: 's4',
      steps: [
        { kind: 'image', title: expect.stringMatching(/^\[build 1\/3\] FROM base-/) },
        { kind: 'run', env: [expect.stringMatching(/^PATH=/), 'FROM=base'] },
        { kind: 'run', title: '[build 3/3] RUN make shop' },
        { kind: 'image', name: 'run-s390x' },
        { kind: 'copy', sources: [{ from: { step: 's2' } }] },
      ],
      image: { platform: { architecture: 's390x' }, config: { Labels: { a: 'b' } } },
    });
  });

  it('is printed as one graph of several platforms', async () => {
    const platforms = '--platform=linux/amd64,linux/s390x';
    const graph = (await json(['--print=graph', platforms, context])) as {
      steps: { title: string }[];
      platforms: { target: string }[];
    };
    expect(graph.platforms.map(({ target }) => target)).toEqual(['s4', 's7']);
    expect(graph.steps.filter(({ title }) => title.endsWith('RUN make deps'))).toHaveLength(1);
    expect(graph.steps.at(-1)?.title).toBe('[linux/s390x stage-1 2/2] COPY --from=build /shop /');
  });

  it.each([
    ['mermaid', /^flowchart TD\n {2}subgraph g0\["build"\]\n/],
    ['dot', /^digraph build \{\n(?:.*\n)*\}\n$/],
  ])('is drawn with --format %s', async (format, drawing) => {
    expect(await slipway(['build', '--print=graph', '--format', format, context])).toMatch(drawing);
  });

  it('says what may be meant where no registry answers, too', async () => {
    const input = 'FROM scratch AS build\nFROM scratch\nCOPY --from=biuld a b\n';
    const flags = ['--build-context', 'biuld=docker-image://127.0.0.1:1/nosuch', '-f', '-', context];
    const { code, stderr } = await runCli(['build', ...flags], { input, timeout: 60_000 });
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERROR: .*127\.0\.0\.1:1.* \(did you mean build\?\)\nDockerfile:3:6\n/);
  }, 60_000);

  it('says which line wants an image that is not there, and what may be meant', async () => {
    const registry = await ourRegistry(home);
    try {
      const input = 'FROM scratch AS build\nFROM scratch\nCOPY --chown=1 \\\n  --from=biuld a b\n';
      const flags = ['--build-context', `biuld=docker-image://${registry.host}/nosuch`, '-f', '-', context];
      for (const print of [[], ['--print=graph']]) {
        const { code, stdout, stderr } = await runCli(['build', ...print, ...flags], { input });
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(stderr).toContain(`ERROR: ${registry.host}/nosuch:latest: not found (did you mean build?)\n`);
        expect(stderr).toMatch(/Dockerfile:4:3\n-+\n(?:.*\n)* +4 \| >>> +--from=biuld a b\n/);
      }
    } finally {
      await registry.close();
    }
  });
});
