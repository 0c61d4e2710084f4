import { describe, expect, it } from '@jest/globals';
import type { BakeTarget } from '../../../src/build/index.ts';
import { targetLine } from '../../../src/ui/bake/target-line.ts';
import { worksOf } from '../../../src/ui/bake/jobs.ts';

const line = (target: Omit<BakeTarget, 'name'>, missing: readonly string[] = []) =>
  targetLine({ name: 'app', ...target }, (flag) => !missing.includes(flag));

describe('a target as a line of build', () => {
  const lines: readonly (readonly [string, Omit<BakeTarget, 'name'>, readonly string[]])[] = [
    ['nothing is the context alone', {}, []],
    ['a Dockerfile is in its context', { context: 'src', dockerfile: 'D' }, ['--file=src/D']],
    ['an absolute one is where it is', { context: 'src', dockerfile: '/D' }, ['--file=/D']],
    ['one of a repository is in it', { context: 'https://x.org/a.git', dockerfile: 'D' }, ['--file=D']],
    ['one that is written in place is standard input', { 'dockerfile-inline': 'FROM x' }, ['--file=-']],
    ['values may look like flags', { args: { A: '--push' }, tags: ['-x'] }, ['--build-arg=A=--push', '--tag=-x']],
    ['fields with commas are quoted', { output: [{ type: 'image', name: 'a,b' }] }, ['--output=type=image,"name=a,b"']],
    ['docker without a file is the store', { output: [{ type: 'docker' }] }, ['--output=type=image']],
    ['docker with one is an archive', { output: [{ type: 'docker', dest: 'x' }] }, ['--output=type=docker,dest=x']],
    ['switches that are off say nothing', { pull: false, 'no-cache': true }, ['--no-cache']],
    [
      'hosts may have several addresses',
      { 'extra-hosts': { h: '1.1.1.1,::1' } },
      ['--add-host=h=1.1.1.1', '--add-host=h=::1'],
    ],
    [
      'keys of ssh are paths',
      {
        ssh: [
          { id: 'a', paths: [] },
          { id: 'b', paths: ['k', 'l'] },
        ],
      },
      ['--ssh=a', '--ssh=b=k,l'],
    ],
    ['secrets keep their order', { secret: [{ id: 's', src: 'f' }] }, ['--secret=id=s,src=f']],
    ['limits are resources', { resources: { memory: '1g' } }, ['--resource=memory=1g']],
  ];
  it.each(lines)('%s', (_, target, flags) => {
    expect(line(target).flags).toEqual(flags);
  });

  it('parts contexts that are targets from others', () => {
    const { needs, flags } = line({ contexts: { a: 'target:base', b: 'dir', c: 'cwd://x' } });
    expect({ needs, flags }).toEqual({ needs: { a: 'base' }, flags: ['--build-context=b=dir', '--build-context=c=x'] });
  });

  it('warns of what build has no flag for, unless it is switched off', () => {
    const target = { attest: [{ type: 'sbom' }, { type: 'provenance', disabled: 'true' }], tags: ['t'] };
    expect(line(target, ['attest'])).toMatchObject({
      flags: ['--tag=t'],
      warnings: ['target app: attest=type=sbom is not supported yet and has no effect'],
    });
  });

  it.each<[Omit<BakeTarget, 'name'>, string]>([
    [{ context: '-' }, 'a context cannot come from standard input'],
    [{ dockerfile: '-' }, 'a Dockerfile cannot come from standard input'],
    [{ policy: [{ filename: 'p' }] }, 'policy is not supported'],
  ])('%j is refused', (target, why) => {
    expect(() => line(target)).toThrow(why);
  });
});

describe('the work of targets', () => {
  const works = (...targets: readonly BakeTarget[]) =>
    worksOf(
      { targets: new Map(targets.map((target) => [target.name, target])), groups: new Map(), linked: new Set() },
      {
        isolation: 'sandbox',
        call: undefined,
        'max-parallelism': 2,
        'context-modes': 'git',
        reproducible: true,
        'verify-reproducible': false,
        locked: false,
        'lock-file': undefined,
        'source-policy-file': undefined,
      },
    );

  it('is a request of build', async () => {
    const { works: found } = await works({
      name: 'app',
      context: 'src',
      args: { A: '1' },
      labels: { l: '' },
      tags: ['t'],
      platforms: ['linux/amd64', 'linux/arm64'],
      'no-cache-filter': ['s'],
      ulimits: ['nofile=1:2'],
      secret: [{ id: 's', env: 'E' }],
      call: 'check',
    });
    expect(found[0]).toMatchObject({
      inquiry: { about: 'check' },
      job: {
        request: {
          context: 'src',
          dockerfile: undefined,
          buildArgs: { A: '1' },
          labels: { l: '' },
          tags: ['t'],
          platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }],
          noCacheFilter: ['s'],
          isolation: 'sandbox',
          maxParallelism: 2,
          contextModes: 'git',
          reproducible: true,
          mounts: { secrets: [{ id: 's', source: { kind: 'env', name: 'E' } }] },
          confinement: { limits: { ulimits: [{ name: 'nofile', soft: 1, hard: 2 }] } },
        },
      },
    });
  });

  it('is refused with the name of the target', async () => {
    await expect(works({ name: 'app', network: 'bridge' })).rejects.toThrow(/^target app: .*network/);
  });

  it('cannot write two archives into one stream', async () => {
    const output = [{ type: 'tar', dest: '-' }];
    await expect(works({ name: 'a', output }, { name: 'b', output })).rejects.toThrow(
      'several targets write to standard output: a, b',
    );
  });
});
