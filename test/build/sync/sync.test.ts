import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type SyncedTag,
  syncImages,
  SyncMemoryFile,
  type SyncOptions,
  type SyncTask,
} from '../../../src/build/index.ts';
import { type Descriptor, fetchBytes, parseIndex } from '../../../src/oci/index.ts';
import { FaultPlan, parseFaults, Registries, type RepositoryTarget } from '../../../src/registry/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushImage, pushIndex } from '../../registry/made-images.ts';

let from: EmbeddedRegistry;
let to: EmbeddedRegistry;
let registries: Registries;
let requests: string[];
let folder: string;

beforeEach(async () => {
  requests = [];
  const note = (where: string) => ({
    onRequest: ({ method, path }: { readonly method: string; readonly path: string }) =>
      void requests.push(`${where} ${method} ${path.replace(/^.*\/(?=(?:manifests|blobs|tags)\/)/, '')}`),
  });
  [from, to] = await Promise.all([embeddedRegistry(note('from')), embeddedRegistry(note('to'))]);
  registries = new Registries({ credential: 'anonymous' });
  folder = await mkdtemp(join(tmpdir(), 'slipway-sync-'));
});
afterEach(async () => {
  await registries[Symbol.asyncDispose]();
  await Promise.all([from.close(), to.close()]);
  await rm(folder, { recursive: true, force: true });
});

const open = (name: string, access?: 'pull' | 'push') => registries.open(name, access);
const source = (): Promise<RepositoryTarget> => open(`${from.host}/app`, 'push');
const target = (): Promise<RepositoryTarget> => open(`${to.host}/mirror`, 'push');

function run(task: Partial<SyncTask> = {}, options: Partial<SyncOptions> = {}): Promise<readonly SyncedTag[]> {
  requests = [];
  const whole: SyncTask = {
    source: `${from.host}/app`,
    target: `${to.host}/mirror`,
    single: false,
    tags: {},
    referrers: false,
    prune: false,
    ...task,
  };
  const openStore = () => Promise.reject(new Error('no store is named'));
  return syncImages([whole], { open, openStore, ...options });
}

const outcomes = (tags: readonly SyncedTag[]) => Object.fromEntries(tags.map(({ tag, outcome }) => [tag, outcome]));

async function fill(): Promise<Record<string, Descriptor>> {
  const repository = await source();
  return {
    '1.0.0': await pushImage(repository, '1.0.0', { layers: ['one'] }),
    '1.1.0': await pushImage(repository, '1.1.0', { layers: ['two'] }),
    edge: await pushIndex(repository, 'edge'),
  };
}

describe('sync', () => {
  it('makes one repository the same as another, and then costs one HEAD a tag and no pull', async () => {
    const made = await fill();
    expect(outcomes(await run())).toEqual({ '1.0.0': 'copied', '1.1.0': 'copied', edge: 'copied' });
    for (const [tag, { digest }] of Object.entries(made))
      expect(await (await target()).resolve(tag)).toMatchObject({ digest });
    expect(outcomes(await run())).toEqual({ '1.0.0': 'same', '1.1.0': 'same', edge: 'same' });
    expect(requests.sort()).toEqual([
      'from GET tags/list',
      ...['1.0.0', '1.1.0', 'edge'].map((tag) => `from HEAD manifests/${tag}`),
      ...['1.0.0', '1.1.0', 'edge'].map((tag) => `to HEAD manifests/${tag}`),
    ]);
  });

  it('costs no pull either where only some platforms are wanted, by what it remembers', async () => {
    await fill();
    const platforms = [{ os: 'linux', architecture: 'arm64' }];
    const path = join(folder, 'memory.json');
    const first = await SyncMemoryFile.open(path);
    await run({ platforms }, { memory: first });
    await first.save();
    expect((await (await target()).resolve('edge')).mediaType).toContain('manifest');
    expect(outcomes(await run({ platforms }, { memory: await SyncMemoryFile.open(path) }))['edge']).toBe('same');
    expect(requests.filter((request) => /GET (?!tags)/.test(request))).toEqual([]);
  });

  it('copies only some platforms of an index into a smaller one', async () => {
    const repository = await source();
    await pushIndex(repository, 'edge');
    const platforms = ['arm64', 'amd64'].map((architecture) => ({ os: 'linux', architecture }));
    await run({ platforms });
    const root = await (await target()).resolve('edge');
    expect(parseIndex(await fetchBytes(await target(), root), root.mediaType).manifests).toHaveLength(2);
  });

  it('chooses tags, and prunes those of its choice alone', async () => {
    await fill();
    await run();
    await (await source()).deleteTag('1.0.0');
    const task = { tags: { semver: ['1.x'] }, prune: true };
    expect(outcomes(await run(task, { dryRun: true }))).toEqual({ '1.0.0': 'pruned', '1.1.0': 'same' });
    expect(await (await target()).listTags()).toEqual(['1.0.0', '1.1.0', 'edge']);
    await (await source()).deleteTag('edge');
    expect(outcomes(await run(task))).toEqual({ '1.0.0': 'pruned', '1.1.0': 'same' });
    expect(await (await target()).listTags()).toEqual(['1.1.0', 'edge']);
  });

  it('prunes nothing where nothing is wanted, or something failed', async () => {
    await fill();
    await run();
    await expect(run({ tags: { include: ['no.*'] }, prune: true })).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });

  it('prunes nothing where something failed', async () => {
    await fill();
    const refusal = { path: '*/manifests/1.1.0', on: 'put-manifest', times: 'forever', fault: 'status', status: 403 };
    const faults = new FaultPlan(parseFaults(JSON.stringify({ faults: [refusal] })));
    await using strict = await embeddedRegistry({ faults });
    await pushImage(await open(`${strict.host}/mirror`, 'push'), 'old');
    const task = { target: `${strict.host}/mirror`, prune: true };
    const results = await run(task, { keepGoing: true });
    expect(outcomes(results)).toEqual({ '1.0.0': 'copied', '1.1.0': 'failed', edge: 'copied' });
    await expect(run(task)).rejects.toMatchObject({ cause: { code: 'DENIED' } });
    expect(await (await open(`${strict.host}/mirror`)).listTags()).toContain('old');
  });

  it('says what it would do, and does nothing', async () => {
    await fill();
    expect(outcomes(await run({}, { dryRun: true }))).toEqual({ '1.0.0': 'copied', '1.1.0': 'copied', edge: 'copied' });
    expect(requests.filter((request) => /^to (?!HEAD|GET)/.test(request))).toEqual([]);
    const layout = join(folder, 'layout');
    await run({ target: `oci:${layout}` }, { dryRun: true });
    expect(await readdir(folder)).toEqual([]);
    await run({ target: `oci:${layout}` });
    expect(outcomes(await run({ target: `oci:${layout}` }))).toEqual({
      '1.0.0': 'same',
      '1.1.0': 'same',
      edge: 'same',
    });
  });

  it('leaves what is there where that is asked for', async () => {
    await fill();
    const kept = await pushImage(await target(), 'edge', { layers: ['mine'] });
    expect(outcomes(await run({}, { skipExisting: true }))).toMatchObject({ edge: 'kept', '1.0.0': 'copied' });
    expect(await (await target()).resolve('edge')).toMatchObject({ digest: kept.digest });
  });

  it('syncs a single image under another tag', async () => {
    const made = await fill();
    await run({ source: `${from.host}/app:1.0.0`, target: `${to.host}/mirror:stable`, single: true });
    expect(await (await target()).resolve('stable')).toMatchObject({ digest: made['1.0.0']?.digest });
    expect(await (await target()).listTags()).toEqual(['stable']);
  });

  it('prunes nothing that another task of the same run brings to the same place', async () => {
    await fill();
    const other = await open(`${from.host}/other`, 'push');
    await pushImage(other, 'theirs', { layers: ['theirs'] });
    await pushImage(await target(), 'lost', { layers: ['lost'] });
    const task = { single: false, tags: {}, referrers: false, prune: true, target: `${to.host}/mirror` };
    const single = { ...task, source: `${from.host}/app:edge`, target: `${to.host}/mirror:stable`, single: true };
    const tasks = [{ ...task, source: `${from.host}/app` }, { ...task, source: `${from.host}/other` }, single];
    await syncImages(tasks, { open, openStore: () => Promise.reject(new Error('no store')) });
    expect((await (await target()).listTags()).toSorted()).toEqual(['1.0.0', '1.1.0', 'edge', 'stable', 'theirs']);
    await pushImage(await target(), 'lost', { layers: ['lost'] });
    const broken = [...tasks, { ...single, source: `${from.host}/nosuch` }];
    await syncImages(broken, { open, keepGoing: true, openStore: () => Promise.reject(new Error('no store')) });
    expect(await (await target()).listTags()).toContain('lost');
  });

  it('prunes nothing for a single image', async () => {
    const made = await fill();
    const others = await target();
    await pushImage(others, 'mine', { layers: ['mine'] });
    const task = { source: `${from.host}/app:1.0.0`, target: `${to.host}/mirror:stable`, single: true, prune: true };
    expect(outcomes(await run(task))).toEqual({ '1.0.0': 'copied' });
    expect(await others.listTags()).toEqual(['mine', 'stable']);
    expect(await others.resolve('stable')).toMatchObject({ digest: made['1.0.0']?.digest });
  });

  it('tells of a repository that cannot be read, and goes on with the others', async () => {
    await fill();
    const missing: SyncTask = {
      source: `${from.host}/nosuch`,
      target: `${to.host}/x`,
      single: false,
      tags: {},
      referrers: false,
      prune: false,
    };
    const tasks = [missing, { ...missing, source: `${from.host}/app` }];
    const options = { open, openStore: () => Promise.reject(new Error('no store')) };
    await expect(syncImages(tasks, options)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const results = await syncImages(tasks, { ...options, keepGoing: true });
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['copied', 'copied', 'copied', 'failed']);
  });
});
