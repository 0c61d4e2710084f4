import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DebianRegistry, debianRegistry, hasDebianRegistry } from '../registry/debian-registry.ts';
import { whyNoBusyboxBase } from './busybox-base.ts';
import { cachedSteps, cacheProject, type CacheProject, stepCount } from './cache-project.ts';
import { type CountedRequest, type CountingProxy, countingProxy } from './counting-proxy.ts';
import { type FakeGha, fakeGha } from './fake-gha.ts';
import { type FakeS3, fakeS3 } from './fake-s3.ts';
import { leftovers } from './leftovers.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { type OrdinaryUser, ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { run, slipway } from './run-cli.ts';

const reason = whyNoBusyboxBase();
const describeCaches = reason === undefined ? describe : describe.skip;
const title = (text: string): string => (reason === undefined ? text : `${text} (${reason})`);

let project: CacheProject;
let ours: OurRegistry;

beforeAll(async () => {
  if (reason !== undefined) return;
  project = await cacheProject();
  ours = await ourRegistry(project.home);
}, 60_000);
afterAll(async () => {
  await ours?.close();
});

/** Bytes of blobs that went either way, but for documents: configs are read to know what a cache or an image is. */
function layerBytes(requests: readonly CountedRequest[]): number {
  const blobs = requests.filter(({ path }) => path.includes('/blobs/'));
  return blobs.reduce(
    (sum, { sent, received }) => sum + (sent > 16_000 ? sent : 0) + (received > 16_000 ? received : 0),
    0,
  );
}

const registries: readonly (readonly [string, () => Promise<DebianRegistry | OurRegistry>])[] = [
  ['our registry', () => Promise.resolve({ host: ours.host, close: async () => {} })],
  ...(hasDebianRegistry ? [['docker-registry', () => debianRegistry()] as const] : []),
];

describe.each(registries)(title('a cache in %s'), (name, start) => {
  const runIt = reason === undefined ? it : it.skip;
  let registry: DebianRegistry | OurRegistry;
  let proxy: CountingProxy;
  let image: string;
  let cache: string;
  /** The base is in the registry too. */
  let base: readonly string[];
  let first: string;

  beforeAll(async () => {
    if (reason !== undefined) return;
    registry = await start();
    proxy = await countingProxy(registry.host);
    image = `${proxy.host}/app:1`;
    cache = `type=registry,ref=${proxy.host}/cache:${name.length}`;
    await slipway(['copy', `oci:${project.base}`, `docker://${proxy.host}/base:1`]);
    base = ['--build-context', `busybox=docker-image://${proxy.host}/base:1`];
    ({ id: first } = await project.build('first', [...base, '-t', image, '--push', '--cache-to', `${cache},mode=max`]));
    proxy.take();
  }, 60_000);
  afterAll(async () => {
    await proxy?.close();
    if (name !== 'our registry') await registry?.close();
    await project?.forget('first');
  });

  runIt('gives a fresh store the same image, pushed again, and no byte of a layer moves', async () => {
    const { id, log } = await project.buildFresh([
      ...base,
      '-t',
      image,
      '--push',
      '--cache-from',
      cache,
      '--cache-to',
      `${cache},mode=max`,
    ]);
    const requests = proxy.take();
    expect([id, cachedSteps(log)]).toEqual([first, stepCount]);
    expect(layerBytes(requests)).toBe(0);
    const reads = requests.filter(({ method, path }) => path.includes('/blobs/') && method !== 'HEAD');
    // The configs of the cache and of the base.
    expect(reads.map(({ method, path }) => `${method} ${path.split('/')[2] ?? ''}`).sort()).toEqual([
      'GET base',
      'GET cache',
    ]);
    // the tag stands for this image already
    expect(requests.filter(({ method }) => method === 'PUT').map(({ path }) => path)).toEqual([]);
  });

  runIt('serves a push to another repository by mounts', async () => {
    const { id } = await project.buildFresh([...base, '-t', `${proxy.host}/other:1`, '--push', '--cache-from', cache]);
    const requests = proxy.take();
    expect(id).toBe(first);
    expect(layerBytes(requests)).toBe(0);
    const mounted = requests.filter(
      ({ method, path, status }) => method === 'POST' && path.includes('mount=') && status === 201,
    );
    expect(mounted.length).toBeGreaterThanOrEqual(3);
  });

  runIt('gives the layers to a result that stays here, and to steps that read them', async () => {
    const tree = join(project.home, `tree ${name}`);
    const { log } = await project.buildFresh(['-t', 'here', '-o', `type=local,dest=${tree}`, '--cache-from', cache]);
    expect(cachedSteps(log)).toBe(stepCount);
    const [all, out, random] = ['all', 'out', 'random'].map((file) => readFileSync(join(tree, file)));
    expect(all).toEqual(Buffer.concat([out ?? Buffer.alloc(0), random ?? Buffer.alloc(0)]));
    expect(layerBytes(proxy.take())).toBeGreaterThan(600_000);
  });

  runIt('is not looked at with --no-cache', async () => {
    const { log } = await project.buildFresh(['--no-cache', '--cache-from', cache]);
    expect([cachedSteps(log), proxy.take()]).toEqual([0, []]);
  });
});

describeCaches(title('what goes into a cache'), () => {
  const folder = (name: string): string => join(project.home, name);
  const blobs = (name: string): readonly string[] => readdirSync(join(folder(name), 'blobs', 'sha256'));
  const sizeOf = (name: string): number =>
    blobs(name).reduce((sum, blob) => sum + lstatSync(join(folder(name), 'blobs', 'sha256', blob)).size, 0);

  it('mode=min holds the layers of the result; all steps are found all the same', async () => {
    const { id } = await project.build('a', [
      '-t',
      'x',
      '--cache-to',
      `type=local,dest=${folder('min')}`,
      '--cache-to',
      `type=local,dest=${folder('max')},mode=max`,
    ]);
    expect([blobs('min').length, blobs('max').length]).toEqual([3 + 2, stepCount + 2]);
    const again = await project.buildFresh(['-t', 'x', '--cache-from', `type=local,src=${folder('min')}`]);
    expect([again.id, cachedSteps(again.log)]).toEqual([id, stepCount]);
  });

  it('steps whose layers are not in it are done again when somebody needs them, and all others found', async () => {
    const tree = join(project.home, 'min-tree');
    const args = [
      '-o',
      `type=local,dest=${tree}`,
      '--build-arg',
      'TOKEN=other',
      '--cache-from',
      `type=local,src=${folder('min')}`,
    ];
    const { log } = await project.buildFresh(args);
    expect(log.match(/does not have the layers of some steps that are needed now/g)?.length).toBe(1);
    expect(log).not.toContain('WARNING: layer');
    const [all, out, random] = ['all', 'out', 'random'].map((file) => readFileSync(join(tree, file)));
    expect(all).toEqual(Buffer.concat([out ?? Buffer.alloc(0), random ?? Buffer.alloc(0)]));
  });

  it('no value of a build argument is in it', async () => {
    const args = [
      '--build-arg',
      'TOKEN=hunter2-hunter2',
      '--cache-to',
      `type=local,dest=${folder('secret')},mode=max`,
      '--cache-to',
      'type=inline',
      '-t',
      'secret',
    ];
    await project.build('a', [...args, '-o', `type=oci,tar=false,dest=${folder('secret-image')}`]);
    for (const name of ['secret', 'secret-image'])
      for (const blob of blobs(name)) {
        const content = await readFile(join(folder(name), 'blobs', 'sha256', blob));
        expect(content.includes('hunter2') && !content.includes('created_by')).toBe(false);
      }
  });

  it('a local folder holds one cache, however often it is written', async () => {
    const to = ['--no-cache', '--cache-to', `type=local,dest=${folder('max')},mode=max`];
    const before = sizeOf('max');
    await project.build('a', to);
    expect(blobs('max').length).toBe(stepCount + 2);
    expect(Math.abs(sizeOf('max') - before)).toBeLessThan(5_000);
    await project.build('a', ['--no-cache', '--cache-to', `type=local,dest=${folder('max')},mode=max,tag=other`]);
    expect(blobs('max').length).toBeGreaterThan(stepCount + 2);
  });

  it('two builds may write to one folder at once', async () => {
    const ids = await Promise.all(
      ['one', 'two'].map((tag) =>
        project.build('a', [
          '--no-cache',
          '-t',
          tag,
          '--cache-to',
          `type=local,dest=${folder('both')},mode=max,tag=${tag}`,
        ]),
      ),
    );
    for (const [at, tag] of ['one', 'two'].entries()) {
      const found = await project.buildFresh([
        '-t',
        tag,
        '--cache-from',
        `type=local,src=${folder('both')},tag=${tag}`,
      ]);
      expect([found.id, cachedSteps(found.log)]).toEqual([ids[at]?.id, stepCount]);
    }
  });

  it('an inline cache travels in the image', async () => {
    const image = `${ours.host}/inline:1`;
    const { id } = await project.build('a', ['-t', image, '--push', '--cache-to', 'type=inline']);
    const again = await project.buildFresh(['-t', image, '--push', '--cache-from', image, '--cache-to', 'type=inline']);
    expect([again.id, cachedSteps(again.log)]).toEqual([id, stepCount]);
  });

  it('compression is as asked', async () => {
    await project.build('a', ['--cache-to', `type=local,dest=${folder('zstd')},mode=max,compression=zstd`]);
    const magic = await Promise.all(
      blobs('zstd').map(async (blob) =>
        (await readFile(join(folder('zstd'), 'blobs', 'sha256', blob))).readUInt32BE(0),
      ),
    );
    expect(magic.filter((number) => number === 0x28b52ffd).length).toBe(stepCount);
  });

  it('leaves nothing behind', async () => {
    expect((await leftovers(project.home)).filter((each) => !each.includes('registry serve'))).toEqual([]);
    expect(await readdir(join(folder('max'), '.slipway', 'writers'))).toEqual([]);
  });
});

const noUser = reason ?? whyNoOrdinaryUser();
(noUser === undefined ? describe : describe.skip)(
  `an ordinary user's cache${noUser === undefined ? '' : ` (${noUser})`}`,
  () => {
    let user: OrdinaryUser;
    let store: string;
    beforeAll(async () => {
      user = await ordinaryUser();
      store = `/var/tmp/slipway-test-${user.name}`;
      await run('/bin/chmod', ['-R', 'a+rX', project.home]);
    });
    afterAll(async () => {
      await run('/bin/rm', ['-rf', store]);
      await user.remove();
    });

    it('is the same as that of root, either way', async () => {
      const cache = `${ours.host}/anybody:cache`;
      const args = ['build', '-q', '--build-context', `busybox=oci-layout://${project.base}`, '-t', 'user'];
      const byUser = { user, env: { SLIPWAY_ROOT: store, HOME: '/tmp' } };
      const context = join(project.home, 'context');
      const made = await slipway(
        [...args, '--no-cache', '--cache-to', `type=registry,ref=${cache},mode=max`, context],
        byUser,
      );
      const { id, log } = await project.buildFresh([
        '-t',
        'root',
        '--cache-from',
        cache,
        '--cache-to',
        `type=registry,ref=${cache},mode=max`,
      ]);
      expect([id, cachedSteps(log)]).toEqual([made.trim(), stepCount]);
      await run('/bin/rm', ['-rf', store]);
      expect((await slipway([...args, '--cache-from', cache, context], byUser)).trim()).toBe(id);
    });
  },
);

describeCaches(title('what goes wrong with a cache'), () => {
  it('none there is a quiet note', async () => {
    const places = [`${ours.host}/nothing:1`, `type=local,src=${join(project.home, 'nowhere')}`];
    const { log } = await project.build(
      'a',
      places.flatMap((place) => ['--cache-from', place]),
    );
    expect(log.match(/^no cache from /gm)?.length).toBe(2);
    expect(log).not.toMatch(/WARNING: no cache/);
  });

  it('none to be reached is a warning', async () => {
    const { log } = await project.build('a', ['--cache-from', 'type=gha']);
    expect(log).toMatch(
      /WARNING: no cache from GitHub's cache service, scope buildkit: there is no cache service here/,
    );
  });

  it('a failed export warns, and fails the build only where that is asked', async () => {
    const to = `type=local,dest=${join(project.home, 'context', 'Dockerfile')}`;
    const { log } = await project.build('a', ['-t', 'exported', '--cache-to', to]);
    expect(log).toMatch(/WARNING: the cache was not exported to .*Dockerfile/);
    expect((await project.tryBuild('a', ['--cache-to', `${to},ignore-error=false`])).code).toBe(1);
  });

  it('wrong usage ends with 125 before any step', async () => {
    const { code, log } = await project.tryBuild('a', ['--cache-to', 'type=azblob,account_url=x']);
    expect([code, /type=azblob is not supported/.test(log)]).toEqual([125, true]);
  });
});

describeCaches(title('a cache in a bucket'), () => {
  let s3: FakeS3;
  beforeAll(async () => {
    s3 = await fakeS3();
  });
  afterAll(() => s3.close());
  const keys = {
    AWS_ACCESS_KEY_ID: 'AKTEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  };
  const place = (): string => `type=s3,bucket=b,region=eu-test-1,prefix=ci,name=main,endpoint_url=${s3.url}`;

  it('serves a fresh store', async () => {
    const { id } = await project.build('a', ['-t', 's3', '--cache-to', `${place()},mode=max`], keys);
    expect(s3.objects.has('b/ci/slipway/names/main')).toBe(true);
    const count = s3.objects.size;
    const again = await project.build(
      'b',
      ['-t', 's3', '--cache-from', place(), '--cache-to', `${place()},mode=max`],
      keys,
    );
    expect([again.id, cachedSteps(again.log), s3.objects.size]).toEqual([id, stepCount, count]);
  });

  it('with a layer that the bucket has deleted, its step is done again', async () => {
    for (const [key, content] of s3.objects)
      if (content.length > 250_000) (s3.objects as Map<string, Buffer>).delete(key);
    const { log } = await project.buildFresh(['-t', 's3', '--cache-from', place()], keys);
    expect(log).toMatch(
      /WARNING: layer [0-9a-f]{12} of the cache s3:\/\/b\/ci\/ cannot be had, so its step is done again/,
    );
  });

  it("of BuildKit's is declined in one line", async () => {
    (s3.objects as Map<string, Buffer>).set('b/bk/manifests/main', Buffer.from('{}'));
    const { log } = await project.build('a', ['--cache-from', place().replace('prefix=ci', 'prefix=bk')], keys);
    expect(log).toMatch(
      /WARNING: no cache from s3:\/\/b\/bk\/main: BuildKit wrote this cache, which only BuildKit can read$/m,
    );
  });

  it('without credentials is a warning, which names no secret', async () => {
    const { log } = await project.build('a', ['--cache-from', place()], { ...keys, AWS_ACCESS_KEY_ID: 'OTHER' });
    expect(log).toMatch(/WARNING: no cache from s3:\/\/b\/ci\/main: cannot read/);
    expect(log).not.toContain('secret');
  });
});

describeCaches(title("a cache in GitHub's service"), () => {
  let gha: FakeGha;
  beforeAll(async () => {
    gha = await fakeGha();
  });
  afterAll(() => gha.close());
  const job = () => ({
    ACTIONS_RESULTS_URL: gha.url,
    ACTIONS_RUNTIME_TOKEN: gha.token,
    ACTIONS_CACHE_SERVICE_V2: 'True',
  });

  it('serves a fresh store, and is not written again unchanged', async () => {
    const { id } = await project.build('a', ['-t', 'gha', '--cache-to', 'type=gha,mode=max,scope=main'], job());
    const count = gha.entries.length;
    expect(count).toBe(stepCount + 3); // layers, config, manifest, the name
    const args = ['-t', 'gha', '--cache-from', 'type=gha,scope=main', '--cache-to', 'type=gha,mode=max,scope=main'];
    const again = await project.buildFresh(args, job());
    expect([again.id, cachedSteps(again.log), gha.entries.length]).toEqual([id, stepCount, count]);
  });

  it('goes on after failures that pass', async () => {
    gha.failNext(503, 2);
    const { log } = await project.buildFresh(['--cache-from', 'type=gha,scope=main'], job());
    expect(cachedSteps(log)).toBe(stepCount);
  });

  it('keeps scopes apart', async () => {
    const { log } = await project.buildFresh(['--cache-from', 'type=gha,scope=mai'], job());
    expect([cachedSteps(log), /^no cache from .* scope mai: /m.test(log)]).toEqual([0, true]);
  });

  it('of BuildKit is declined in one line', async () => {
    const { createHash } = await import('node:crypto');
    const version = createHash('sha256').update('|go-actionscache-1.0').digest('hex');
    gha.entries.push({ key: 'index-bk-1-a1b2c3d4#1', version, content: Buffer.from('{}') });
    const { log } = await project.build('a', ['--cache-from', 'type=gha,scope=bk'], job());
    expect(log).toMatch(/WARNING: no cache from .*scope bk: BuildKit wrote this cache/);
  });

  it('a token that is not valid warns, and is not shown', async () => {
    const args = ['--cache-from', 'type=gha', '--cache-to', 'type=gha'];
    const { log } = await project.build('a', args, { ...job(), ACTIONS_RUNTIME_TOKEN: 'expired-token' });
    expect(log).toMatch(/WARNING: no cache from .*answered GetCacheEntryDownloadURL with 401/);
    expect(log).not.toContain('expired-token');
  });
});
