import { describe, expect, it } from '@jest/globals';
import { graphOf, lastStep, ownHistory, path } from './build-inputs.ts';

const based = {
  bases: {
    a: {
      author: 'Ann',
      config: {
        Env: ['PATH=/bin', 'A=1'],
        Cmd: ['sh'],
        Entrypoint: ['init'],
        User: 'ann',
        WorkingDir: '/home',
        Labels: { x: 'y' },
        ExposedPorts: ['22/tcp'],
        Volumes: ['/data'],
        Shell: ['ash', '-c'],
        extra: { Domainname: 'd' },
      },
    },
  },
};
const configOf = (text: string, options: Parameters<typeof graphOf>[1] = based) =>
  graphOf(`FROM a\n${text}`, options).image.config;

describe('the config', () => {
  it('is the base’s, untouched', () => {
    expect(configOf('')).toEqual(based.bases.a.config);
  });

  it.each([
    ['ENV PATH=$PATH:/x', { Env: ['PATH=/bin:/x', 'A=1'] }],
    ['ENV A=2 B=$A', { Env: ['PATH=/bin', 'A=2', 'B=1'] }],
    ['ENV A=2\nENV B=$A', { Env: ['PATH=/bin', 'A=2', 'B=2'] }],
    ['ENTRYPOINT ["x"]', { Entrypoint: ['x'], Cmd: undefined }],
    ['CMD ["y"]\nENTRYPOINT ["x"]', { Entrypoint: ['x'], Cmd: ['y'], ArgsEscaped: true }],
    ['ENTRYPOINT []', { Entrypoint: undefined, Cmd: undefined }],
    ['CMD []', { Cmd: undefined, ArgsEscaped: true }],
    ['CMD a b', { Cmd: ['ash', '-c', 'a b'], ArgsEscaped: true }],
    ['SHELL ["bash"]\nENTRYPOINT x', { Entrypoint: ['bash', 'x'], Cmd: undefined, Shell: ['bash'] }],
    ['WORKDIR x', { WorkingDir: '/home/x' }],
    ['USER root', { User: 'root' }],
    ['USER $A:$A', { User: '1:1' }],
    ['LABEL x=1 $A=2', { Labels: { x: '1', 1: '2' } }],
    ['EXPOSE 80 $A', { ExposedPorts: ['1/tcp', '22/tcp', '80/tcp'] }],
    ['ARG P="80 81"\nEXPOSE $P', { ExposedPorts: ['22/tcp', '80/tcp', '81/tcp'] }],
    ['VOLUME /data /v$A', { Volumes: ['/data', '/v1'] }],
    ['STOPSIGNAL SIGKILL', { StopSignal: 'SIGKILL' }],
    ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
    ['HEALTHCHECK --interval=5s CMD x $A', { Healthcheck: { Test: ['CMD-SHELL', 'x $A'], Interval: 5e9 } }],
    ['ONBUILD RUN  x\nONBUILD copy a b', { OnBuild: ['RUN  x', 'copy a b'] }],
    ['ONBUILD RUN <<E\nx\nE', { OnBuild: ['RUN <<E\nx\nE'] }],
  ])('after %j', (text, changes) => {
    expect(configOf(text)).toEqual({ ...based.bases.a.config, ...changes });
  });

  it('of scratch has PATH and a folder', () => {
    expect(graphOf('FROM scratch').image.config).toEqual({ WorkingDir: '/', Env: [path] });
  });

  it('gets a PATH where the base has none', () => {
    expect(configOf('', {}).Env).toEqual([path]);
  });

  it('of Windows gets none', () => {
    expect(graphOf('FROM scratch', { platform: { os: 'windows', architecture: 'amd64' } }).image.config).toEqual({
      WorkingDir: '\\',
    });
  });

  it('takes --label last', () => {
    expect(configOf('LABEL x=1', { ...based, labels: { x: '2', z: '3' } }).Labels).toEqual({ x: '2', z: '3' });
  });

  it('has the author of the base, or MAINTAINER', () => {
    expect(graphOf('FROM a', based).image.author).toBe('Ann');
    expect(graphOf('FROM a\nMAINTAINER Bob', based).image.author).toBe('Bob');
  });
});

describe('history', () => {
  it('begins with the base’s own, marked as such', () => {
    const history = [
      { created: '2020-01-01T00:00:00Z', createdBy: 'a' },
      { createdBy: 'b', emptyLayer: true },
    ];
    expect(graphOf('FROM a\nENV A=1', { bases: { a: { history } } }).image.history).toEqual([
      { ...history[0], inherited: true },
      { ...history[1], inherited: true },
      { createdBy: 'ENV A=1', comment: 'buildkit.dockerfile.v0', emptyLayer: true },
    ]);
  });

  it('of a base without one agrees with its layers', () => {
    const { history } = graphOf('FROM a', { bases: { a: { layers: 2, history: [{ createdBy: 'x' }] } } }).image;
    expect(history.filter((item) => item.emptyLayer !== true)).toHaveLength(2);
  });

  it('names the step of each layer', () => {
    const { history } = graphOf('FROM scratch\nWORKDIR /a\nCOPY b c\nENV A=1\nRUN d').image;
    expect(history.map(({ step, emptyLayer }) => step ?? emptyLayer)).toEqual(['s0', 's1', true, 's2']);
  });
});

const triggers = { bases: { a: { config: { OnBuild: ['COPY --from=other /x /y', 'RUN make', 'ENV T=1'] } } } };

describe('ONBUILD', () => {
  it('of a base image runs first, and may name a stage', () => {
    const text = 'FROM b AS other\nRUN 1\nFROM a\nRUN 2';
    const graph = graphOf(text, triggers);
    expect(graph.asked).toEqual(['a linux/amd64', 'b linux/amd64']);
    expect(graph.steps.map(({ title }) => title)).toEqual([
      '[other 1/2] FROM b',
      '[other 2/2] RUN 1',
      '[stage-1 1/4] FROM a',
      '[stage-1 2/4] ONBUILD COPY --from=other /x /y',
      '[stage-1 3/4] ONBUILD RUN make',
      '[stage-1 4/4] RUN 2',
    ]);
    expect(graph.image.config.OnBuild).toBeUndefined();
    expect(graph.image.config.Env).toContain('T=1');
  });

  it('may name an image', () => {
    expect(graphOf('FROM a', triggers).asked).toEqual(['a linux/amd64', 'other linux/amd64']);
  });

  it('of a base stage runs first, once', () => {
    expect(ownHistory('FROM a AS x\nONBUILD ENV A=1\nFROM x AS y\nENV B=$A\nFROM y')).toEqual(['ENV A=1', 'ENV B=1']);
  });

  it('may be a heredoc', () => {
    const config = { OnBuild: ['RUN <<E\nmake\nE'] };
    expect(lastStep('run', 'FROM a', { bases: { a: { config } } }).args).toEqual(['/bin/sh', '-c', 'make\n']);
  });

  it.each([
    ['FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['ONBUILD RUN x', "ONBUILD isn't allowed as an ONBUILD trigger"],
    ['RUN a\nRUN b', 'onbuild trigger should be a single expression'],
    ['NONSENSE', 'unknown instruction: NONSENSE'],
    ['', 'in an ONBUILD trigger of the base: file with no instructions'],
  ])('of an image may not be %j', (trigger, message) => {
    const bases = { a: { config: { OnBuild: [trigger] } } };
    expect(() => graphOf('ARG X\nFROM a', { bases })).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), range: { start: 2, end: 2 } }),
    );
  });
});
