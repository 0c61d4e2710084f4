import { describe, expect, it } from '@jest/globals';
import { BuildError } from '../../../src/build/error.ts';
import type { SolveOptions } from '../../../src/build/solve/contract.ts';
import { solve } from '../../../src/build/solve/solve.ts';
import type { ImageStep, RunStep } from '../../../src/dockerfile/index.ts';
import { digestOf } from '../../../src/oci/index.ts';
import { StoreError } from '../../../src/store/index.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const image = (id: string): ImageStep => ({ id, kind: 'image', title: id, stage: id, name: id, platform });
const run = (id: string, input: string): RunStep => ({
  id,
  kind: 'run',
  title: id,
  stage: id,
  input,
  args: [id],
  env: [],
  proxyEnv: [],
  user: '',
  cwd: '/',
  network: 'none',
  security: 'sandbox',
  mounts: [],
  pipes: [],
});

/** What a build needs until the first of its steps has its base unpacked. */
function optionsOf(unpack: (name: string, signal: AbortSignal) => Promise<void>): SolveOptions {
  const names = new Map(['slow', 'broken'].map((name) => [digestOf(name), name]));
  const options = {
    store: {
      root: '/nowhere',
      accounts: { latest: () => undefined, put: () => undefined },
      cache: { claim: () => Promise.resolve({ [Symbol.dispose]: () => undefined }) },
      snapshots: { has: () => false },
      layerSize: () => 0,
      unpack: ([diffId]: [ReturnType<typeof digestOf>], { signal }: { signal: AbortSignal }) =>
        unpack(names.get(diffId) ?? '', signal),
      privileges: { kind: 'none' },
    },
    cache: { get: () => undefined, fact: () => undefined },
    networks: { warm: () => undefined, retire: () => undefined },
    workshop: { expectRun: () => undefined },
    lane: { id: 'b1' },
    request: { context: '.', noCache: false, network: 'none' },
    context: { dockerfile: { name: 'Dockerfile', text: Buffer.from('') } },
    imageOf: ({ name }: ImageStep) => ({ config: { diffIds: [digestOf(name)] }, pinned: `${name}@${digestOf(name)}` }),
    onEvent: () => undefined,
    settle: () => Promise.resolve([]),
  };
  return options as unknown as SolveOptions;
}

describe('a build', () => {
  it('that fails does not wait for what it does not need any more', async () => {
    const stopped: string[] = [];
    const options = optionsOf(async (name, signal) => {
      if (name === 'broken') throw new BuildError('CANCELLED', 'the layer is broken');
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve());
      await promise;
      stopped.push(name);
      signal.throwIfAborted();
    });
    const steps = [image('slow'), run('a', 'slow'), image('broken'), run('b', 'broken')];
    await expect(solve({ steps }, options)).rejects.toThrow('the layer is broken');
    expect(stopped).toEqual(['slow']);
  });

  it('whose disk is full does not take cached layers for lost', async () => {
    const full = new StoreError('DISK_FULL', 'no space left on device');
    const options = optionsOf(() => Promise.reject(full));
    const record = { parts: {}, diffId: digestOf('cached'), parent: digestOf('slow') };
    const found = [record, undefined, undefined];
    let rejected = 0;
    const cache = {
      get: () => found.shift(),
      fact: () => undefined,
      noteOf: () => ({}),
      reject: () => [record.diffId].slice(0, (rejected += 1)),
    };
    const steps = [image('slow'), run('a', 'slow'), run('b', 'a')];
    await expect(solve({ steps }, { ...options, cache } as unknown as SolveOptions)).rejects.toBe(full);
    expect(rejected).toBe(0);
  });
});
