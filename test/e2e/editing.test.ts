import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRepository, openSession } from '../../src/registry/index.ts';
import { pushRealImage, pushRealIndex, tarOf } from '../build/edit/images.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { describeWith } from './peer-programs.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

// What only the command line shows: flags, the store, output, exit codes. What edits do is tested in test/build/edit.

let home: string;
let registry: OurRegistry;
const session = openSession();

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
      ['append', '-t', at('x')],
      ['mutate', '--cmd', '[1]', at('app:v1')],
      ['mutate', '--time', 'yesterday', at('app:v1')],
      ['mutate', '--exposed-ports', 'http', at('app:v1')],
      ['mutate', '--to-oci', '--to-docker', at('app:v1')],
    ])
      expect([args, (await runCli(args)).code]).toEqual([args, 125]);
  });
});
