import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { digestOf } from '../../src/oci/index.ts';
import { openRepository, openSession } from '../../src/registry/index.ts';
import { pushRealImage, pushRealIndex, tarOf } from '../build/edit/images.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { describeWith } from './peer-programs.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

// What only the command line shows: flags, the store, output, exit codes. What edits do is tested in test/build/edit.

let home: string;
let registry: OurRegistry;
const session = openSession();
/** A layer of every image here. */
const tarDigest = digestOf(gzipSync(tarOf([{ name: 'one', content: '1' }])));

const at = (name: string): string => `${registry.host}/${name}`;
const target = (name: string) => openRepository(at(name), { session, credential: 'anonymous', access: 'push' });
const json = async (...args: string[]) => JSON.parse(await slipway(args)) as Record<string, unknown>;

describeWith([], 'images are edited', () => {
  beforeAll(async () => {
    home = await testHome();
    registry = await ourRegistry(home);
    await pushRealImage(target('app'), 'v1');
    await pushRealIndex(target('multi'), 'v1', { amd64: {}, arm64: {} });
    await writeFile(join(home, 'extra.tar'), tarOf([{ name: 'extra', content: 'x' }]));
  });
  afterAll(async () => {
    await session.close();
    await registry.close();
  });

  it('mutate, in a registry, into the store and from it', async () => {
    const flags = ['-l', 'a=b', '-e', 'A=2', '--entrypoint', '["/run","a,b"]', '--append', join(home, 'extra.tar')];
    const printed = await slipway(['mutate', '-q', ...flags, '-t', at('app:v2'), at('app:v1')]);
    expect(await slipway(['digest', at('app:v2')])).toBe(printed);
    expect(await json('config', at('app:v2'))).toMatchObject({
      config: { Labels: { a: 'b', kept: 'yes' }, Entrypoint: ['/run', 'a,b'], Env: ['PATH=/bin', 'A=2'] },
      rootfs: { diff_ids: [expect.anything(), expect.anything(), expect.anything()] },
    });
    await slipway(['mutate', '-q', '-w', '/srv', '-t', 'store:edited', at('app:v2')]);
    const [inStore] = JSON.parse(await slipway(['inspect', 'edited'])) as { Config: object }[];
    expect(inStore?.Config).toMatchObject({ WorkingDir: '/srv' });
    await slipway(['flatten', '-q', '-t', at('app:flat'), 'store:edited']);
    expect(await json('config', at('app:flat'))).toMatchObject({
      config: { WorkingDir: '/srv' },
      rootfs: { diff_ids: [expect.anything()] },
    });
    await slipway(['mutate', '-q', '-u', 'me', '--replace', 'store:edited']);
    const [again] = JSON.parse(await slipway(['inspect', 'edited'])) as { Config: object }[];
    expect(again?.Config).toMatchObject({ WorkingDir: '/srv', User: 'me' });
    await slipway(['mutate', '-q', '-u', 'me', '-t', 'store:multi', at('multi:v1')]);
    expect(await slipway(['images', 'multi', '--format', '{{.Repository}}'])).toBe('multi\n');
  });

  it('append, rebase and check-base, which exits with 1 where the base has changed', async () => {
    const file = join(home, 'extra.tar');
    const append = ['append', '-q', '-b', at('app:v1'), '-f', file, '--set-base-image-annotations', '-t', at('on:v1')];
    await slipway(append);
    expect(await slipway(['check-base', at('on:v1')])).toMatch(/^linux\/amd64: \S+app:v1 is still sha256:/);
    await slipway(['mutate', '-q', '-l', 'new=base', '--replace', at('app:v1')]);
    const stale = await runCli(['check-base', at('on:v1')]);
    expect([stale.code, stale.stdout]).toEqual([1, expect.stringMatching(/ was sha256:\S+, is now sha256:/)]);
    expect((await runCli(['check-base', at('app:v1')])).code).toBe(2);
    const moved = await json('rebase', '--json', '-q', at('on:v1'), '--replace');
    expect((moved['before'] as string) === moved['digest']).toBe(false);
    expect((await runCli(['check-base', at('on:v1')])).code).toBe(0);
  });

  it('annotate, and words that are wrong', async () => {
    await slipway(['annotate', '-a', 'note=1', '-a', 'manifest[linux/arm64]:arm=2', '--replace', at('multi:v1')]);
    expect(await json('manifest', 'get', at('multi:v1'))).toMatchObject({ annotations: { note: '1' } });
    expect(await json('manifest', 'get', '--platform', 'linux/arm64', at('multi:v1'))).toMatchObject({
      annotations: { arm: '2' },
    });
    for (const args of [
      ['annotate', at('multi:v1')],
      ['mutate', '--cmd', '[1]', at('app:v1')],
    ])
      expect([args, (await runCli(args)).code]).toEqual([args, 125]);
  });

  it('validate, which exits with 1 for what is not sound and 2 where nobody answers', async () => {
    expect(await runCli(['validate', at('multi:v1')])).toMatchObject({ code: 0, stdout: '' });
    const layout = join(home, 'layout');
    await slipway(['copy', '-q', at('app:v1'), `oci:${layout}:v1`]);
    await rm(join(layout, 'blobs/sha256', tarDigest.slice(7)));
    const broken = await runCli(['validate', '--fast', `oci:${layout}`]);
    expect([broken.code, broken.stdout]).toEqual([1, `error missing ${tarDigest}: is not there\n`]);
    expect(JSON.parse((await runCli(['validate', '--json', `oci:${layout}`])).stdout)).toMatchObject({ valid: false });
    expect((await runCli(['validate', at('none:v1')])).code).toBe(1);
    expect((await runCli(['validate', '--retry', '0', '127.0.0.1:1/a'])).code).toBe(2);
  });

  it('artifacts are pushed, attached, listed and pulled', async () => {
    const file = join(home, 'report.txt');
    await writeFile(file, 'all is well');
    const type = ['--artifact-type', 'application/vnd.example.report'];
    await slipway(['artifact', 'push', '-q', ...type, at('reports:v1'), `${file}:text/plain`]);
    expect(await slipway(['artifact', 'pull', '-o', join(home, 'reports'), at('reports:v1')])).toBe('report.txt\n');
    expect(await readFile(join(home, 'reports/report.txt'), 'utf8')).toBe('all is well');
    const digest = (await slipway(['artifact', 'attach', '-q', ...type, at('app:v1'), file])).trim();
    expect(await slipway(['artifact', 'ls', '-q', at('app:v1')])).toBe(`${digest}\n`);
    expect(await slipway(['artifact', 'tree', at('app:v1')])).toContain(
      `└── ${digest}  application/vnd.example.report\n`,
    );
    expect((await runCli(['artifact', 'ls', at('app:none')])).code).toBe(1);
    expect((await runCli(['artifact', 'attach', at('app:v1'), file])).code).toBe(125);
  });
});
