import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  appendLayers,
  Bases,
  editImage,
  flatten,
  layerFromTar,
  type PlaceOptions,
  rebase,
  type RootEdit,
  setConfig,
} from '../../../src/build/index.ts';
import {
  fetchBytes,
  type ImageConfig,
  parseImageConfig,
  parseManifest,
  serializeConfig,
  type Target,
} from '../../../src/oci/index.ts';
import { readLayerTree } from '../../../src/inspect/index.ts';
import { openRepository, openSession, Registries } from '../../../src/registry/index.ts';
import { describeWithNewer, newerPeer } from '../../newer-peers.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushRealImage, tarOf } from './images.ts';

const run = promisify(execFile);
const skopeo = '/usr/bin/skopeo';

describeWithNewer(['crane'], 'crane edits in the same way', () => {
  let registry: EmbeddedRegistry;
  let folder: string;
  const registries = new Registries();
  const session = openSession();
  const places: PlaceOptions = {
    open: async (name, access) => registries.open(name, access),
    openStore: () => Promise.reject(new Error('the store is opened')),
  };
  const at = (name: string): string => `${registry.host}/${name}`;
  const target = (name: string): Target =>
    openRepository(at(name), { session, credential: 'anonymous', access: 'push' });
  const crane = (...args: string[]) => run(newerPeer('crane'), args, { env: { HOME: folder } });

  beforeAll(async () => {
    registry = await embeddedRegistry();
    folder = await mkdtemp(join(tmpdir(), 'slipway-crane-'));
    await writeFile(join(folder, 'extra.tar'), tarOf([{ name: 'extra', content: 'x' }]));
  });
  afterAll(async () => {
    await registries[Symbol.asyncDispose]();
    await session.close();
    await registry.close();
    await rm(folder, { recursive: true });
  });

  async function imageOf(name: string, tag: string) {
    const from = target(name);
    const root = await from.resolve(tag);
    const manifest = parseManifest(await fetchBytes(from, root), root.mediaType);
    return { from, manifest, config: parseImageConfig(await fetchBytes(from, manifest.config)) };
  }

  async function edited(name: string, edit: Parameters<typeof editImage>[1]): Promise<ImageConfig> {
    await editImage(at(`${name}:v1`), edit, { ...places, tag: at(`${name}:ours`), onWarning: () => undefined });
    await crane('validate', '--remote', at(`${name}:ours`));
    if (existsSync(skopeo)) await run(skopeo, ['inspect', '--tls-verify=false', `docker://${at(name)}:ours`]);
    return (await imageOf(name, 'ours')).config;
  }

  /** Without times and remarks, which each writes in its own way. */
  function compared(config: ImageConfig): string {
    return serializeConfig({ ...config, created: '2024-01-01T00:00:00Z', history: [] }).toString();
  }

  it.each<readonly [string, readonly string[], RootEdit]>([
    [
      'labels and variables',
      ['-l', 'a=b', '-e', 'A=2', '-e', 'NEW=x'],
      { image: setConfig({ labels: { a: 'b' }, env: { A: '2', NEW: 'x' } }) },
    ],
    ['entrypoint', ['--entrypoint', '/run,-v'], { image: setConfig({ entrypoint: ['/run', '-v'] }) }],
    [
      'entrypoint and cmd',
      ['--entrypoint', '/run', '--cmd', 'a,b'],
      { image: setConfig({ entrypoint: ['/run'], cmd: ['a', 'b'] }) },
    ],
    [
      'user, workdir, ports',
      ['-u', 'me', '-w', '/srv', '--exposed-ports', '80/tcp,53/udp'],
      { image: setConfig({ user: 'me', workdir: '/srv', exposedPorts: ['80', '53/udp'] }) },
    ],
    [
      'platform',
      ['--set-platform', 'linux/arm64'],
      { image: setConfig({ platform: { os: 'linux', architecture: 'arm64' } }) },
    ],
  ])('mutate: %s', async (title, flags, edit) => {
    const name = `mutate/${title.replaceAll(/[^a-z]/g, '')}`;
    await pushRealImage(target(name), 'v1');
    await crane('mutate', ...flags, '-t', at(`${name}:theirs`), at(`${name}:v1`));
    expect(compared(await edited(name, edit))).toBe(compared((await imageOf(name, 'theirs')).config));
  });

  it('append', async () => {
    await pushRealImage(target('append'), 'v1');
    const file = join(folder, 'extra.tar');
    await crane('append', '-b', at('append:v1'), '-f', file, '-t', at('append:theirs'));
    const ours = await edited('append', async (bench) => ({ image: appendLayers([await layerFromTar(bench, file)]) }));
    expect(compared(ours)).toBe(compared((await imageOf('append', 'theirs')).config));
  });

  it('rebase', async () => {
    const tars = ['old', 'app', 'new'].map((name) => tarOf([{ name, content: name }]));
    await pushRealImage(target('base'), 'old', { tars: tars.slice(0, 1) });
    await pushRealImage(target('base'), 'new', { tars: tars.slice(2) });
    await pushRealImage(target('rebase'), 'v1', { tars: tars.slice(0, 2) });
    const [oldBase, newBase] = [at('base:old'), at('base:new')];
    await crane('rebase', at('rebase:v1'), '--old_base', oldBase, '--new_base', newBase, '-t', at('rebase:theirs'));
    await using bases = new Bases(places);
    const ours = await edited('rebase', { image: rebase({ oldBase, newBase }, bases) });
    const theirs = await imageOf('rebase', 'theirs');
    expect(compared(ours)).toBe(compared(theirs.config));
    expect((await imageOf('rebase', 'ours')).manifest.annotations).toEqual(theirs.manifest.annotations);
  });

  it('flatten: the same tree', async () => {
    const lower = [
      { name: 'd', type: 'directory' as const },
      { name: 'd/a', content: '1' },
      { name: 'd/b', content: '2' },
    ];
    const upper = [{ name: 'd/.wh.a' }, { name: 'c', content: '3' }];
    await pushRealImage(target('flatten'), 'v1', { tars: [tarOf(lower), tarOf(upper)] });
    await crane('flatten', '-t', at('flatten:theirs'), at('flatten:v1'));
    await edited('flatten', { image: flatten() });
    const rows = async (tag: string) => {
      const { from, manifest } = await imageOf('flatten', tag);
      expect(manifest.layers).toHaveLength(1);
      const [layer] = manifest.layers;
      const tree = await readLayerTree(layer === undefined ? (async function* () {})() : await from.fetch(layer));
      return tree.rows.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    };
    expect(await rows('ours')).toEqual(await rows('theirs'));
  });
});
