import { describe, expect, it } from '@jest/globals';
import { needs, parse, toGraph } from '../../src/dockerfile/index.ts';
import { graphOf, imageConfig, inputs, lastStep, ownHistory, path } from './build-inputs.ts';

const titles = (text: string, options?: Parameters<typeof graphOf>[1]) =>
  graphOf(text, options).steps.map((step) => step.title);

describe('the graph of a file', () => {
  it('is plain data', () => {
    const graph = graphOf(
      'ARG V=3\nFROM node:$V AS build\nWORKDIR /app\nCOPY . .\nRUN npm ci\nFROM scratch\nCOPY --from=build /app /app',
    );
    expect(JSON.parse(JSON.stringify(graph))).toEqual({
      version: 1,
      target: 's4',
      asked: ['node:3 linux/amd64'],
      steps: [
        {
          id: 's0',
          kind: 'image',
          title: '[build 1/4] FROM node:3',
          stage: 'build',
          location: { start: 2, end: 2 },
          name: 'node:3',
          platform: { os: 'linux', architecture: 'amd64' },
        },
        {
          id: 's1',
          kind: 'workdir',
          title: '[build 2/4] WORKDIR /app',
          stage: 'build',
          location: { start: 3, end: 3 },
          input: 's0',
          path: '/app',
          user: '',
        },
        {
          id: 's2',
          kind: 'copy',
          title: '[build 3/4] COPY . .',
          stage: 'build',
          location: { start: 4, end: 4 },
          input: 's1',
          sources: [{ kind: 'path', from: { kind: 'context' }, path: '/' }],
          destination: '/app/',
          link: false,
          parents: false,
          exclude: [],
          unpack: 'never',
        },
        {
          id: 's3',
          kind: 'run',
          title: '[build 4/4] RUN npm ci',
          stage: 'build',
          location: { start: 5, end: 5 },
          input: 's2',
          args: ['/bin/sh', '-c', 'npm ci'],
          env: [path],
          proxyEnv: [],
          user: '',
          cwd: '/app',
          network: 'default',
          security: 'sandbox',
          mounts: [],
          pipes: [],
        },
        {
          id: 's4',
          kind: 'copy',
          title: '[stage-1 1/1] COPY --from=build /app /app',
          stage: '1',
          location: { start: 7, end: 7 },
          sources: [{ kind: 'path', from: { kind: 'step', step: 's3' }, path: '/app' }],
          destination: '/app',
          link: false,
          parents: false,
          exclude: [],
          unpack: 'never',
        },
      ],
      image: {
        platform: { os: 'linux', architecture: 'amd64' },
        config: { WorkingDir: '/', Env: [path] },
        history: [{ createdBy: 'COPY /app /app # buildkit', comment: 'buildkit.dockerfile.v0', step: 's4' }],
      },
      warnings: [],
    });
  });

  it('of one stage counts without its name', () => {
    expect(titles('FROM a AS x\nRUN b')).toEqual(['[1/2] FROM a', '[2/2] RUN b']);
  });

  it('aligns numbers', () => {
    expect(titles(`FROM a\n${'RUN b\n'.repeat(9)}`)[0]).toBe('[ 1/10] FROM a');
  });

  it('shows variables in titles', () => {
    expect(titles('FROM a\nENV A=1\nCOPY $A /$A\nRUN echo "$A" $B').slice(1)).toEqual([
      '[2/3] COPY 1 /1',
      '[3/3] RUN echo "1" $B',
    ]);
  });

  it('masks secrets of the environment in titles', () => {
    expect(titles('FROM a\nRUN --mount=type=secret,id=x,env=X echo $X')[1]).toContain('echo ****');
  });

  it('has only what the target needs', () => {
    const text = 'FROM a AS x\nRUN 1\nFROM b AS y\nRUN 2\nFROM c AS z\nCOPY --from=y / /\nRUN 3\nFROM d';
    expect(titles(text, { target: 'z' })).toEqual([
      '[y 1/2] FROM b',
      '[y 2/2] RUN 2',
      '[z 1/3] FROM c',
      '[z 2/3] COPY --from=y / /',
      '[z 3/3] RUN 3',
    ]);
  });

  it('holds each image once', () => {
    const graph = graphOf('FROM a AS x\nFROM a\nCOPY --from=a / /\nCOPY --from=x / /');
    expect(graph.steps.map(({ kind }) => kind)).toEqual(['image', 'copy', 'copy']);
  });

  it('of FROM scratch alone has no step', () => {
    expect(graphOf('FROM scratch')).toMatchObject({ target: undefined, steps: [] });
  });

  it('of an image without layers begins with nothing, but its config', () => {
    const graph = graphOf('FROM a\nRUN x', { bases: { a: { layers: 0, config: { User: 'ann' } } } });
    expect(graph.steps).toMatchObject([{ kind: 'run', input: undefined, user: 'ann' }]);
  });

  it('notes a syntax directive once', () => {
    expect(graphOf('# syntax=docker/dockerfile:1\nFROM a').warnings).toEqual([
      { message: '"# syntax=docker/dockerfile:1" is ignored: the language is built in', line: 1 },
    ]);
  });

  it('notes devices, which are not supported', () => {
    expect(graphOf('FROM a\nRUN --device=vendor.com/gpu=all x').warnings).toEqual([
      { message: '--device=vendor.com/gpu=all is not supported and has no effect', line: 2 },
    ]);
  });
});

describe('stages', () => {
  it('a base stage gives tree, config, variables and ARGs', () => {
    const text = 'FROM a AS x\nARG A=1\nENV B=2\nWORKDIR /w\nUSER u\nSHELL ["bash","-c"]\nRUN 1\nFROM x\nRUN 2';
    expect(lastStep('run', text)).toMatchObject({
      input: 's2',
      args: ['bash', '-c', '2'],
      env: [path, 'A=1', 'B=2'],
      cwd: '/w',
      user: 'u',
    });
    expect(ownHistory(text).at(-1)).toBe('* RUN |1 A=1 bash -c 2 # buildkit');
  });

  it('names know no case', () => {
    expect(titles('FROM a AS Build\nRUN 1\nFROM BUILD\nRUN 2')).toHaveLength(3);
    expect(titles('FROM a AS build\nRUN 1\nFROM b\nCOPY --from=BUILD / /')).toHaveLength(4);
    expect(titles('FROM a AS build\nRUN 1\nFROM b', { target: 'BUILD' })).toHaveLength(2);
  });

  it('the last of one name counts', () => {
    expect(titles('FROM a AS x\nRUN 1\nFROM b AS x\nRUN 2\nFROM x')).toEqual(['[x 1/2] FROM b', '[x 2/2] RUN 2']);
  });

  it('can be copied from by number', () => {
    const text = 'FROM scratch\nCOPY f /\nFROM scratch\nCOPY --from=0 / /';
    expect(lastStep('copy', text).sources).toEqual([{ kind: 'path', from: { kind: 'step', step: 's0' }, path: '/' }]);
  });

  it('without a step are an empty tree', () => {
    const text = 'FROM scratch AS x\nENV A=1\nFROM scratch\nCOPY --from=x / /';
    expect(lastStep('copy', text).sources).toEqual([{ kind: 'path', from: { kind: 'empty' }, path: '/' }]);
  });

  it.each([
    ['FROM a AS x\nCOPY --from=x / /', 'circular dependency detected on stage: x'],
    ['FROM a AS x\nRUN --mount=from=x,target=/y z', 'circular dependency detected on stage: x'],
    ['FROM a AS x\nCOPY --from=y / /\nFROM a AS y\nCOPY --from=x / /', 'circular dependency detected on stage: y'],
    [
      'FROM a AS x\nCOPY --from=y / /\nFROM a AS y\nFROM x',
      'cannot copy from stage "y", it needs to be defined before current stage "x"',
    ],
    [
      'FROM a AS x\nRUN --mount=from=y,target=/m z\nFROM a AS y\nFROM x',
      'cannot mount from stage "y" to "/m", stage needs to be defined before current command',
    ],
  ])('refuses %j', (text, message) => {
    expect(() => graphOf(text)).toThrow(message);
  });

  it('a later one may be named by what is not built', () => {
    expect(titles('FROM a AS x\nCOPY --from=y / /\nFROM b AS y')).toEqual(['[y 1/1] FROM b']);
  });

  it.each([
    ['bulid', 'target stage "bulid" could not be found (did you mean build?)'],
    ['0', 'target stage "0" could not be found'],
  ])('target %s', (target, message) => {
    expect(() => graphOf('FROM a AS build', { target })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_STAGE', message }),
    );
  });

  it('any number of them is no burden', () => {
    const stages = Array.from(
      { length: 5000 },
      (_, index) => `FROM ${index === 0 ? 'scratch' : `s${index - 1}`} AS s${index}`,
    );
    expect(graphOf(stages.join('\n')).steps).toEqual([]);
  });
});

describe('needs', () => {
  it('names bases and sources of what is reachable, once each', () => {
    const text =
      'FROM a AS x\nFROM b\nFROM c\nCOPY --from=x / /\nCOPY --from=d / /\nRUN --mount=from=d,target=/m x\nCOPY --from=c / /';
    expect(graphOf(text).asked).toEqual(['a linux/amd64', 'c linux/amd64', 'd linux/amd64']);
  });

  it('has the platform of FROM', () => {
    const buildPlatform = { os: 'linux', architecture: 'arm64' };
    const text =
      'FROM --platform=$BUILDPLATFORM a AS x\nFROM --platform=linux/aarch64 b AS y\nFROM c\nCOPY --from=x / /\nCOPY --from=y / /';
    expect(graphOf(text, { buildPlatform }).asked).toEqual(['a linux/arm64', 'b linux/arm64', 'c linux/amd64']);
  });

  it('must be met before the graph is made', () => {
    expect(() => toGraph(parse('FROM a'), inputs(), new Map())).toThrow(
      expect.objectContaining({ code: 'MISSING_CONFIG', message: 'the config of a linux/amd64 is not known' }),
    );
  });

  it('is empty once met', () => {
    expect(needs(parse('FROM a'), inputs(), new Map([['a linux/amd64', imageConfig()]]))).toEqual([]);
  });
});

describe('named contexts', () => {
  it.each(['busybox', 'busybox:latest', 'docker.io/library/busybox', 'docker.io/library/busybox:latest', 'BusyBox'])(
    'FROM %s takes the folder called busybox',
    (name) => {
      expect(graphOf(`FROM ${name}\nRUN x`, { contexts: { busybox: 'tree' } }).steps[0]).toMatchObject({
        kind: 'copy',
        input: undefined,
        sources: [{ kind: 'path', from: { kind: 'context', name: 'busybox' }, path: '/' }],
        destination: '/',
      });
    },
  );

  it('an image stands in for an image', () => {
    expect(graphOf('FROM busybox:latest', { contexts: { busybox: 'image' } }).asked).toEqual([
      'busybox:latest linux/amd64',
    ]);
  });

  it('another tag is not meant', () => {
    expect(graphOf('FROM busybox:1', { contexts: { busybox: 'tree' } }).asked).toEqual(['busybox:1 linux/amd64']);
  });

  it('a folder stands in for a stage and its instructions', () => {
    const graph = graphOf('FROM a AS base\nRUN false\nFROM b\nCOPY --from=base /x /y', { contexts: { base: 'tree' } });
    expect(graph.asked).toEqual(['b linux/amd64']);
    expect(graph.steps.at(-1)).toMatchObject({ sources: [{ from: { kind: 'context', name: 'base' }, path: '/x' }] });
  });

  it('an image stands in for a stage', () => {
    const graph = graphOf('FROM a AS base\nRUN false\nFROM base\nRUN true', { contexts: { base: 'image' } });
    expect(graph.asked).toEqual(['base linux/amd64']);
    expect(graph.steps.map(({ kind }) => kind)).toEqual(['image', 'run']);
  });

  it('COPY takes from a folder', () => {
    expect(lastStep('copy', 'FROM a\nCOPY --from=src . .', { contexts: { src: 'tree' } }).sources).toEqual([
      { kind: 'path', from: { kind: 'context', name: 'src' }, path: '/' },
    ]);
  });

  it('scratch cannot be replaced', () => {
    expect(graphOf('FROM scratch', { contexts: { scratch: 'tree' } }).steps).toEqual([]);
  });
});

describe('without a build context', () => {
  it.each(['COPY a b', 'ADD a b', 'RUN --mount=target=/x y'])('%s is refused', (text) => {
    expect(() => graphOf(`FROM a\n${text}`, { hasContext: false })).toThrow(
      expect.objectContaining({ code: 'NO_CONTEXT' }),
    );
  });

  it('what needs none is built', () => {
    const text = 'FROM a\nCOPY <<E /x\n1\nE\nADD https://a/b /\nCOPY --from=c / /\nRUN x';
    expect(graphOf(text, { hasContext: false }).steps).toHaveLength(6);
  });
});

describe('the platform of the image', () => {
  const arm = { os: 'linux', architecture: 'arm64' };

  it('is what was asked for', () => {
    expect(graphOf('FROM scratch', { platform: arm }).image.platform).toEqual(arm);
  });

  it('is that of a pinned base where nothing else was asked for', () => {
    const ast = parse('FROM --platform=linux/arm64 a AS arm64');
    const configs = new Map([['a linux/arm64', { ...imageConfig(), platform: arm }]]);
    expect(toGraph(ast, inputs(), configs).image.platform).toEqual(arm);
  });
});

describe('COPY flags', () => {
  it('are expanded', () => {
    const step = lastStep('copy', 'FROM a\nARG U=7 M=0600 X=md\nCOPY --chown=$U:${U} --chmod=$M --exclude=*.$X a /b');
    expect(step).toMatchObject({ owner: '7:7', mode: '0600', exclude: ['*.md'] });
  });

  it('--link stands alone, not with --chmod', () => {
    expect(lastStep('copy', 'FROM a\nCOPY --link a b').link).toBe(true);
    expect(lastStep('copy', 'FROM a\nCOPY --link --chmod=644 a b').link).toBe(false);
  });
});
