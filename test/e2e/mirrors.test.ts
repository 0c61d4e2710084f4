import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { describeWith, succeed } from './peer-programs.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

// That a build and a pull go by the machine's files at all; what the files mean is tested in test/registry.

let home: string;
let upstream: OurRegistry;
let mirror: OurRegistry;
let env: Record<string, string>;
let name: string;

describeWith([], 'mirrors of registries.conf', () => {
  beforeAll(async () => {
    home = await testHome();
    for (const folder of ['upstream', 'mirror', 'base', 'top']) await mkdir(join(home, folder), { recursive: true });
    upstream = await ourRegistry(join(home, 'upstream'));
    mirror = await ourRegistry(join(home, 'mirror'));
    name = `${upstream.host}/team/base:1`;
    const conf = join(home, 'registries.conf');
    await writeFile(
      conf,
      `[[registry]]\nlocation = "${upstream.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}/cache"\n`,
    );
    env = { CONTAINERS_REGISTRIES_CONF: conf };
    await writeFile(join(home, 'base/Dockerfile'), 'FROM scratch\nCOPY Dockerfile /base\n');
    await writeFile(join(home, 'top/Dockerfile'), `FROM ${name}\nCOPY Dockerfile /top\n`);
  });
  afterAll(async () => {
    await mirror.close();
  });

  it('a push goes to the registry; when that is gone, FROM and pull are served by the mirror, layers fetched later too', async () => {
    await slipway(['build', '-t', name, '--push', join(home, 'base')], { env });
    const there = await runCli(['digest', `${mirror.host}/cache/team/base:1`]);
    expect(there.code).toBe(1);
    await slipway(['copy', name, `${mirror.host}/cache/team/base:1`]);
    const digest = (await slipway(['digest', name])).trim();
    await upstream.close();
    const fresh = { ...env, SLIPWAY_ROOT: join(home, 'fresh') };
    await slipway(['build', '-o', `type=tar,dest=${home}/top.tar`, join(home, 'top')], { env: fresh });
    expect((await succeed('tar', ['-tf', `${home}/top.tar`])).split('\n').filter(Boolean).sort()).toEqual([
      'base',
      'top',
    ]);
    expect(await slipway(['pull', name], { env: { ...env, SLIPWAY_ROOT: join(home, 'other') } })).toContain(digest);
    const without = await runCli(['pull', name], {
      env: { CONTAINERS_REGISTRIES_CONF: '/dev/null', SLIPWAY_ROOT: join(home, 'none'), SLIPWAY_RETRY: '0' },
    });
    expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('ECONNREFUSED') });
  });

  it('registry config shows them, and what is wrong is told with file and line', async () => {
    const shown = await slipway(['registry', 'config', name], { env });
    expect(shown).toContain(
      `mirror 1          http://${mirror.host}/v2/cache/team/base  (${env['CONTAINERS_REGISTRIES_CONF']}:3)\n`,
    );
    await writeFile(join(home, 'wrong.conf'), '\n[[registry]]\nlocation = 1\n');
    const wrong = await runCli(['pull', 'a.test/b'], { env: { CONTAINERS_REGISTRIES_CONF: join(home, 'wrong.conf') } });
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${home}/wrong.conf:3: location must be a text`),
    });
  });
});
