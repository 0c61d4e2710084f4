import { describe, expect, it } from '@jest/globals';
import { copyKey, runKey, workdirKey } from '../../../src/build/solve/cache-key.ts';
import type { CopyStep, RunStep } from '../../../src/dockerfile/index.ts';
import { digestOf } from '../../../src/oci/index.ts';

const parent = digestOf('parent');
const run: RunStep = {
  kind: 'run',
  id: 's1',
  title: '[2/2] RUN true',
  stage: '0',
  input: 's0',
  args: ['/bin/sh', '-c', 'true'],
  env: ['A=1'],
  proxyEnv: [],
  user: '',
  cwd: '/',
  network: 'default',
  security: 'sandbox',
  mounts: [],
  pipes: [],
};
const copy: CopyStep = {
  kind: 'copy',
  id: 's1',
  title: '[2/2] COPY . /',
  stage: '0',
  input: 's0',
  sources: [],
  destination: '/',
  link: false,
  parents: false,
  exclude: [],
  unpack: 'never',
};

const keyOfRun = (change: Partial<RunStep> = {}, below = parent, mounts = {}) =>
  runKey({ ...run, ...change }, below, { mounts }).key;
const keyOfCopy = (change: Partial<CopyStep> = {}, below = parent, sources = 'x') =>
  copyKey({ ...copy, ...change }, below, { sources }).key;
const secret = { type: 'secret', id: 's', required: false } as const;

describe('the key of a RUN step', () => {
  const hits: readonly (readonly [change: string, key: string])[] = [
    ['its id, title and place', keyOfRun({ id: 's9', title: 'x', stage: 'b', location: { start: 3, end: 4 } })],
    ['a proxy of the caller', keyOfRun({ proxyEnv: ['http_proxy=http://p'] })],
  ];
  it.each(hits)('stays with another %s', (_change, key) => {
    expect(key).toBe(keyOfRun());
  });

  const misses: readonly (readonly [change: string, key: string])[] = [
    ['parent', keyOfRun({}, digestOf('other'))],
    ['command', keyOfRun({ args: ['/bin/sh', '-c', 'true '] })],
    ['environment', keyOfRun({ env: ['A=2'] })],
    ['user', keyOfRun({ user: '1' })],
    ['working folder', keyOfRun({ cwd: '/x' })],
    ['network', keyOfRun({ network: 'none' })],
    ['mount', keyOfRun({ mounts: [{ type: 'tmpfs', target: '/t' }] })],
    ['content of a bind mount', keyOfRun({}, parent, { '/src': 'digest' })],
    ['heredoc', keyOfRun({ pipes: [{ name: 'f', content: 'x' }] })],
  ];
  it.each(misses)('changes with the %s', (_change, key) => {
    expect(key).not.toBe(keyOfRun());
  });

  type MountChange = Readonly<Record<string, unknown>>;
  const cache = { type: 'cache', id: 'c', target: '/c', readOnly: false, sharing: 'shared' };
  const keyOfMount = (mount: MountChange): string =>
    keyOfRun({ mounts: [mount as unknown as RunStep['mounts'][number]] });
  const sameMounts: readonly (readonly [string, MountChange, MountChange])[] = [
    ['id of a cache', cache, { id: 'other' }],
    ['sharing of a cache', cache, { sharing: 'locked' }],
    ['owner of a secret that is the usual one', secret, { uid: 0, gid: 0 }],
  ];
  it.each(sameMounts)('stays with another %s', (_change, mount, change) => {
    expect(keyOfMount({ ...mount, ...change })).toBe(keyOfMount(mount));
  });
  const otherMounts: readonly (readonly [string, MountChange, MountChange])[] = [
    ['target of a cache', cache, { target: '/d' }],
    ['cache that is read-only', cache, { readOnly: true }],
    ['owner of a cache', cache, { uid: 5 }],
    ['mode of a cache', cache, { mode: 0o700 }],
    ['id of a secret', secret, { id: 'other' }],
    ['variable of a secret', secret, { env: 'A' }],
    ['mode of a secret', secret, { mode: 0o444 }],
    ['secret that is required', secret, { required: true }],
    ['agent in its place', secret, { type: 'ssh' }],
  ];
  it.each(otherMounts)('changes with another %s', (_change, mount, change) => {
    expect(keyOfMount({ ...mount, ...change })).not.toBe(keyOfMount(mount));
  });

  it('does not depend on what a cache mount is called, but on where a secret is', () => {
    const cache = (id: string) =>
      keyOfRun({ mounts: [{ type: 'cache', id, target: '/c', readOnly: false, sharing: 'shared' }] });
    expect(cache('a')).toBe(cache('b'));
    expect(keyOfRun({ mounts: [{ ...secret, target: '/a' }] })).not.toBe(
      keyOfRun({ mounts: [{ ...secret, target: '/b' }] }),
    );
  });

  it('changes with the epoch of a reproducible build, which tells the times in its layer', () => {
    const keys = [undefined, 1, 2].map((epoch) => runKey(run, parent, { mounts: {}, epoch }).key);
    expect(new Set(keys).size).toBe(3);
    expect(keys[0]).toBe(keyOfRun());
  });

  it('counts the value of a variable that is called like a secret, and does not keep it', () => {
    const [one, two] = ['hunter2', 'x'].map((value) =>
      runKey({ ...run, env: [`A_TOKEN=${value}`] }, parent, { mounts: {} }),
    );
    expect(one?.key).not.toBe(two?.key);
    expect(one?.parts).toEqual(two?.parts);
    expect(one?.parts['environment']).toBe('["A_TOKEN=***"]');
  });

  it('keeps its parts by name', () => {
    const { parts } = runKey(run, parent, { mounts: { '/src': 'digest' } });
    expect(parts).toMatchObject({
      parent,
      environment: '["A=1"]',
      command: '["/bin/sh","-c","true"]',
      'mount /src': 'digest',
    });
  });
});

describe('the key of a COPY step', () => {
  it.each([
    ['sources', keyOfCopy({}, parent, 'y')],
    ['destination', keyOfCopy({ destination: '/x' })],
    ['owner', keyOfCopy({ owner: '1:1' })],
    ['mode', keyOfCopy({ mode: '0644' })],
    ['parent', keyOfCopy({}, digestOf('other'))],
  ])('changes with the %s', (_change, key) => {
    expect(key).not.toBe(keyOfCopy());
  });

  it('tells what its sources are called, and has another one beside it that does not', () => {
    const from = { kind: 'context' } as const;
    const of = (path: string) =>
      copyKey({ ...copy, sources: [{ kind: 'path', from, path }] }, parent, { sources: 'x' });
    const [a, b, other] = [of('d/a'), of('b'), of('e/a')];
    expect([a.key === b.key, a.key === other.key, a.key === a.nameless?.key]).toEqual([false, true, false]);
    expect(a.nameless?.key).toBe(b.nameless?.key);
    // What a wildcard finds is called in the content digest.
    expect(of('*').parts['names']).toBe('[null]');
  });

  it('does not depend on the parent with --link', () => {
    expect(keyOfCopy({ link: true }, digestOf('other'))).toBe(keyOfCopy({ link: true }));
  });
});

it('a WORKDIR depends on the user who will own the folder', () => {
  const step = { kind: 'workdir', id: 's', title: '', stage: '0', input: undefined, path: '/x', user: '' } as const;
  expect(workdirKey(step, parent).key).not.toBe(workdirKey({ ...step, user: '1' }, parent).key);
});
