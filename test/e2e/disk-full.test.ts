import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { file, tar } from '../layer/tar-builder.ts';
import type { ScriptedServer } from '../registry/scripted-server.ts';
import { busyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { makeImage, serveImage, writeLayout } from './made-image.ts';
import { run, runCli, slipway, testHome } from './run-cli.ts';

const isRoot = process.getuid?.() === 0;
const MiB = 1 << 20;
const small = 'FROM busybox\nRUN echo >/small\n';
const isolations = ['runc', 'sandbox'].filter((name) => name !== 'runc' || existsSync('/usr/sbin/runc'));

(isRoot ? describe : describe.skip)(`a store whose disk is full${isRoot ? '' : ' (needs root)'}`, () => {
  let disk: string;
  let server: ScriptedServer;
  let env: Readonly<Record<string, string>>;
  let build: readonly string[];
  const paths = { context: '', archive: '', rootfs: '' };

  beforeAll(async () => {
    const home = await testHome();
    disk = join(home, 'disk');
    await mkdir(disk);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=755', 'slipway-test', disk]);
    if (mounted.code !== 0) throw new Error(mounted.stderr);
    env = { SLIPWAY_ROOT: join(disk, 'store') };
    build = ['build', '--progress', 'plain', ...(await busyboxBase(join(home, 'busybox')))];
    const content = randomBytes(40 * MiB);
    const image = makeImage([tar(file('small')), tar({ ...file('large'), content })]);
    server = await serveImage(image);
    paths.archive = join(home, 'image.tar');
    await run('tar', ['-C', writeLayout(image, join(home, 'image')), '-cf', paths.archive, '.']);
    paths.rootfs = join(home, 'rootfs');
    await mkdir(paths.rootfs);
    await writeFile(join(paths.rootfs, 'rootfs.tar'), tar({ ...file('large'), content }));
    paths.context = join(home, 'context');
    await mkdir(paths.context);
    await writeFile(join(paths.context, 'large'), content);
    await slipway([...build, '-t', 'kept', '-f', '-', paths.context], { env, input: small });
  }, 60_000);

  afterAll(async () => {
    await server?.close();
    await run('umount', ['-l', disk]);
  });

  const used = async (): Promise<number> => {
    const { blocks, bfree, bsize } = await statfs(disk);
    return (blocks - bfree) * bsize;
  };

  /** `dockerfile` is for builds. */
  interface Case {
    readonly name: string;
    readonly args: () => readonly string[];
    readonly dockerfile?: string;
  }

  const fromFile = (context: string, ...flags: readonly string[]) => [...build, ...flags, '-f', '-', context];
  const tooLarge: readonly Case[] = [
    ...isolations.map((isolation) => ({
      name: `RUN with ${isolation}`,
      args: () => fromFile(paths.context, '--isolation', isolation, '-t', 'lost'),
      dockerfile: 'RUN dd if=/dev/zero of=/large bs=1M count=40',
    })),
    { name: 'COPY', args: () => fromFile(paths.context, '-t', 'lost'), dockerfile: 'COPY large /' },
    { name: 'ADD of an archive', args: () => fromFile(paths.rootfs, '-t', 'lost'), dockerfile: 'ADD rootfs.tar /' },
    { name: 'pull', args: () => ['pull', `${server.host}/lost:latest`] },
    { name: 'load', args: () => ['load', '-i', paths.archive] },
    { name: 'import', args: () => ['import', join(paths.rootfs, 'rootfs.tar'), 'lost'] },
    {
      name: 'an exported file',
      args: () => fromFile(paths.context, '-t', 'kept', '-o', `type=tar,dest=${disk}/out.tar`),
      dockerfile: 'RUN head -c 12000000 /dev/urandom >/random',
    },
  ];

  it.each(tooLarge)('says so at $name, and has its room back and works', async ({ args, dockerfile }) => {
    const before = await used();
    const result = await runCli(args(), {
      env,
      ...(dockerfile === undefined ? {} : { input: `FROM busybox\n${dockerfile}\n` }),
    });
    expect(result).toMatchObject({ code: 1, signal: null });
    expect(result.stderr).toMatch(/(^|\n)ERROR: /);
    expect(result.stderr).toMatch(/no space left on device/i);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(await leftovers(disk)).toEqual([]);
    expect(await readdir(disk)).toEqual(['store']);
    await slipway([...build, '--no-cache', '-t', 'kept', '-f', '-', paths.context], { env, input: small });
    await slipway(['prune', '--force'], { env });
    expect(await slipway(['images', '--format', '{{.Repository}}'], { env })).toBe('kept\n');
    // The index and its log may have grown.
    expect(await used()).toBeLessThan(before + MiB);
  });

  it('says so when there is no room even to open it, and opens when there is', async () => {
    await run('sh', ['-c', 'cat /dev/zero >"$1"; echo >>"$1"', 'sh', join(disk, 'filler')]);
    const result = await runCli(['images'], { env });
    if (result.code !== 0) expect(result.stderr).toMatch(/^ERROR: cannot open the store .*: no space left on device\n/);
    await rm(join(disk, 'filler'));
    expect(await slipway(['images', '--format', '{{.Repository}}'], { env })).toBe('kept\n');
    expect(await leftovers(disk)).toEqual([]);
  });
});
