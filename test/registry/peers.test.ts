import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyGraph, fetchBytes } from '../../src/oci/index.ts';
import { openDiskStorage, openRepository, type RegistrySession, startRegistry } from '../../src/registry/index.ts';
import { pushImage } from '../contracts/target-contract.ts';
import { debianRegistry, hasDebianRegistry } from './debian-registry.ts';
import { embeddedRegistry, type EmbeddedRegistry, quickSession } from './embedded.ts';

const run = promisify(execFile);
const skopeo = '/usr/bin/skopeo';

let session: RegistrySession;
let registry: EmbeddedRegistry;
let directory: string;

beforeAll(async () => {
  session = quickSession();
  registry = await embeddedRegistry();
  directory = await mkdtemp(join(tmpdir(), 'slipway-peers-'));
});
afterAll(async () => {
  await session.close();
  await registry.close();
  await rm(directory, { recursive: true, force: true });
});

const open = (name: string) => openRepository(name, { session, credential: 'anonymous' });

(existsSync(skopeo) ? describe : describe.skip)('skopeo (skipped where it is not installed)', () => {
  it('pulls what we pushed, pushes it back, and the digest stays', async () => {
    const target = open(`${registry.host}/peers/ours`);
    const image = await pushImage(target, 'for skopeo');
    await target.tag(image.descriptor, 'v1');
    const layout = `oci:${directory}/layout:v1`;
    await run(skopeo, [
      'copy',
      '--preserve-digests',
      '--src-tls-verify=false',
      `docker://${registry.host}/peers/ours:v1`,
      layout,
    ]);
    await run(skopeo, [
      'copy',
      '--preserve-digests',
      '--dest-tls-verify=false',
      layout,
      `docker://${registry.host}/peers/theirs:v2`,
    ]);
    const theirs = open(`${registry.host}/peers/theirs`);
    expect(await theirs.resolve('v2')).toEqual(image.descriptor);
    expect(Buffer.from(await fetchBytes(theirs, image.descriptor))).toEqual(image.content);
    expect(await theirs.listTags()).toEqual(['v2']);
  });

  it('reads and makes the layouts that a registry serves', async () => {
    const first = await embeddedRegistry();
    const image = await pushImage(open(`${first.host}/a/ours`), 'in place');
    await open(`${first.host}/a/ours`).tag(image.descriptor, 'v1');
    await first.settle();
    const layout = `oci:${first.root}/a/ours:v1`;
    expect((await run(skopeo, ['inspect', '--raw', layout])).stdout).toBe(image.content.toString());
    await run(skopeo, ['copy', '--preserve-digests', layout, `oci:${first.root}/a/theirs:v2`]);
    await using second = await startRegistry({ storage: await openDiskStorage(first.root) });
    expect(await open(`${second.host}/a/theirs`).resolve('v2')).toEqual(image.descriptor);
    await first.close();
  });

  it('lists and deletes', async () => {
    const target = open(`${registry.host}/peers/delete`);
    const image = await pushImage(target, 'to be deleted');
    await target.tag(image.descriptor, 'v1');
    const name = `docker://${registry.host}/peers/delete`;
    const listed = await run(skopeo, ['list-tags', '--tls-verify=false', name]);
    expect((JSON.parse(listed.stdout) as { Tags: string[] }).Tags).toEqual(['v1']);
    await run(skopeo, ['delete', '--tls-verify=false', `${name}:v1`]);
    await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

(hasDebianRegistry ? describe : describe.skip)("Debian's docker-registry (skipped where it is not installed)", () => {
  it('gives and takes images by copyGraph, and deletes', async () => {
    const debian = await debianRegistry();
    try {
      const theirs = open(`${debian.host}/peers/a`);
      const ours = open(`${registry.host}/peers/b`);
      const image = await pushImage(theirs, 'to and fro');
      await theirs.tag(image.descriptor, 'v1');
      await copyGraph(theirs, ours, await theirs.resolve('v1'));
      expect(await ours.resolve(image.descriptor.digest)).toEqual(image.descriptor);
      expect(await theirs.listTags()).toEqual(['v1']);
      await theirs.deleteManifest(image.descriptor.digest);
      await expect(theirs.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    } finally {
      await debian.close();
    }
  });
});

describe('our own registry', () => {
  it('deletes a tag, then the manifest', async () => {
    const target = open(`${registry.host}/peers/c`);
    const image = await pushImage(target, 'ours');
    await target.tag(image.descriptor, 'v1');
    await target.tag(image.descriptor, 'v2');
    await target.deleteTag('v1');
    expect(await target.listTags()).toEqual(['v2']);
    await target.deleteManifest(image.descriptor.digest);
    expect(await target.exists(image.descriptor)).toBe(false);
    await expect(target.deleteTag('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
