import { beforeAll, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { ourRegistry } from './our-registry.ts';
import { describeWith, listTree, type PeerPrograms, peerPrograms, succeed, untar } from './peer-programs.ts';
import { reachableProgram } from './reachable-program.ts';
import { run, runCli, slipway, testHome } from './run-cli.ts';

const oci = 'application/vnd.oci.image';
const docker = 'application/vnd.docker';
const epoch = 1_700_000_000;

interface RawManifest {
  readonly mediaType: string;
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

const dockerfile = `FROM busybox
RUN mkdir /d && echo a > /d/a && ln /d/a /d/link && echo b > /d/b && chown 33:33 /d/b
COPY file /file
RUN rm -rf /d/b /var/www && mkdir -p /var/www/new
WORKDIR /w
CMD ["cat", "/file"]
`;

describeWith(['busybox', 'skopeo', 'umoci'], 'outputs', () => {
  let home: string;
  let context: string;
  let base: readonly string[];
  let peers: PeerPrograms;

  beforeAll(async () => {
    home = await testHome();
    base = await busyboxBase(join(home, 'busybox'));
    peers = await peerPrograms(join(home, 'peers'));
    context = join(home, 'context');
    await mkdir(context);
    await writeFile(join(context, 'file'), 'from the context\n');
    await writeFile(join(context, 'Dockerfile'), dockerfile);
  });

  const out = (name: string): string => join(home, name);
  const build = (...args: readonly string[]) => slipway(['build', '-q', ...base, ...args, context]);
  const raw = async (place: string): Promise<RawManifest> =>
    JSON.parse(await peers.skopeo('inspect', '--raw', '--tls-verify=false', place)) as RawManifest;
  const json = async (file: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  const sha = async (file: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  const failing = (...args: readonly string[]) => runCli(['build', '-q', ...base, ...args, context]);

  /** By the attributes of an archive: the media types of its layers, the base's first. */
  const forms: readonly (readonly [attributes: string, base: string, own: string])[] = [
    ['', `${oci}.layer.v1.tar+gzip`, `${oci}.layer.v1.tar+gzip`],
    [',compression=zstd,compression-level=7', `${oci}.layer.v1.tar+gzip`, `${oci}.layer.v1.tar+zstd`],
    [',compression=uncompressed', `${oci}.layer.v1.tar+gzip`, `${oci}.layer.v1.tar`],
    [',compression=zstd,force-compression=true', `${oci}.layer.v1.tar+zstd`, `${oci}.layer.v1.tar+zstd`],
    [',compression=uncompressed,force-compression=true', `${oci}.layer.v1.tar`, `${oci}.layer.v1.tar`],
    [
      ',oci-mediatypes=false,compression-level=1',
      `${docker}.image.rootfs.diff.tar.gzip`,
      `${docker}.image.rootfs.diff.tar.gzip`,
    ],
  ];

  it('has each form of an archive from one build, the same bytes from the next, and the same tree in all', async () => {
    const outputs = (round: number) =>
      forms.flatMap(([attributes], at) => ['-o', `type=oci,dest=${out(`form-${at}.${round}.tar`)}${attributes}`]);
    await build(...outputs(1), '-o', `type=tar,dest=${out('tree.tar')}`);
    await build(...outputs(2));
    const tree = await listTree(await untar(out('tree.tar'), out('tree')));
    const configs = new Set<string>();
    for (const [at, [, ofBase, own]] of forms.entries()) {
      const file = out(`form-${at}.1.tar`);
      const { config, layers } = await raw(`oci-archive:${file}`);
      expect(layers.map(({ mediaType }) => mediaType)).toEqual([ofBase, own, own, own, own]);
      configs.add(config.digest);
      expect(await sha(out(`form-${at}.2.tar`))).toBe(await sha(file));
      const layout = out(`form-${at}`);
      await peers.skopeo('copy', '-q', `oci-archive:${file}`, `oci:${layout}:it`);
      // umoci reads no zstd, and one of each kind is enough.
      if (own.endsWith('zstd') || (at > 0 && ofBase.endsWith('gzip'))) continue;
      await peers.umoci('unpack', '--image', `${layout}:it`, `${layout}-bundle`);
      expect(await listTree(join(`${layout}-bundle`, 'rootfs'))).toEqual(tree);
    }
    expect(configs.size).toBe(1);
    expect((await slipway(['images', '-q'])).trim()).toBe('');
  }, 60_000);

  it('writes layouts and docker archives under several names', async () => {
    await build(
      '-o',
      `type=oci,tar=false,dest=${out('layout')},"name=one:1,example.com/two:2"`,
      '-o',
      `type=docker,dest=${out('docker.tar')},name=three`,
    );
    for (const name of ['docker.io/library/one:1', 'example.com/two:2'])
      expect((await raw(`oci:${out('layout')}:${name}`)).layers).toHaveLength(5);
    const inspected = await peers.skopeo(
      'inspect',
      `docker-archive:${out('docker.tar')}:docker.io/library/three:latest`,
    );
    expect((JSON.parse(inspected) as { Layers: unknown[] }).Layers).toHaveLength(5);
  });

  it('makes one layer of the build with squash, for an output or for all', async () => {
    await build('-o', `type=oci,dest=${out('squashed.tar')},squash=true`, '-o', `type=tar,dest=${out('plain.tar')}`);
    await build('--squash', '-t', 'squashed', '-o', `type=oci,dest=${out('squashed.2.tar')}`);
    const { layers } = await raw(`oci-archive:${out('squashed.tar')}`);
    expect(layers).toHaveLength(2);
    expect(layers[0]?.digest).toBe((await raw(`oci:${out('busybox')}`)).layers[0]?.digest);
    expect((await raw(`oci-archive:${out('squashed.2.tar')}`)).layers).toEqual(layers);
    await peers.skopeo('copy', '-q', `oci-archive:${out('squashed.tar')}`, `oci:${out('squashed')}:it`);
    await peers.umoci('unpack', '--image', `${out('squashed')}:it`, out('squashed-bundle'));
    expect(await listTree(join(out('squashed-bundle'), 'rootfs'))).toEqual(
      await listTree(await untar(out('plain.tar'), out('plain'))),
    );
    const [image] = JSON.parse(await slipway(['inspect', 'squashed'])) as [{ RootFS: { Layers: string[] } }];
    expect(image.RootFS.Layers).toHaveLength(2);
    await slipway(['rmi', 'squashed']);
    const digests = new Set<unknown>();
    for (const attribute of ['squash=true', 'squash=true,rewrite-timestamp=true']) {
      const squashed = [
        '-o',
        `type=oci,dest=${out('squashed.tar')},${attribute}`,
        '--metadata-file',
        out('squashed.json'),
      ];
      await build('--no-cache', '--build-arg', `SOURCE_DATE_EPOCH=${epoch}`, ...squashed);
      digests.add((await json(out('squashed.json')))['containerimage.digest']);
    }
    expect(digests.size).toBe(1);
  });

  it('rewrites times with rewrite-timestamp: two builds from nothing are one image', async () => {
    const digests = new Set<unknown>();
    for (const round of [1, 2]) {
      const archive = out(`epoch-${round}.tar`);
      await build(
        '--no-cache',
        '-o',
        `type=oci,dest=${archive},rewrite-timestamp=true,source-date-epoch=${epoch}`,
        '--metadata-file',
        out('epoch.json'),
        '--iidfile',
        out('epoch.iid'),
      );
      const metadata = await json(out('epoch.json'));
      digests.add(metadata['containerimage.digest']);
      expect(await readFile(out('epoch.iid'), 'utf8')).toBe(metadata['containerimage.config.digest']);
    }
    expect(digests.size).toBe(1);
    await peers.skopeo('copy', '-q', `oci-archive:${out('epoch-1.tar')}`, `oci:${out('epoch')}:it`);
    const { layers } = await raw(`oci:${out('epoch')}:it`);
    const times = layers.slice(1).map(async ({ digest }) => {
      const blob = join(out('epoch'), 'blobs', 'sha256', digest.slice('sha256:'.length));
      const listed = await succeed('tar', ['-tvzf', blob, '--full-time'], {
        env: { PATH: process.env['PATH'], TZ: 'UTC' },
      });
      return listed.match(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g) ?? [];
    });
    // What the base has keeps its time where a step only passed through it; whiteouts have none.
    expect([...new Set((await Promise.all(times)).flat())].toSorted()).toEqual([
      '1970-01-01 00:00:00',
      '2023-11-14 22:13:20',
    ]);
    const config = JSON.parse(await peers.skopeo('inspect', '--config', `oci-archive:${out('epoch-1.tar')}`)) as {
      created: string;
      history: { created: string }[];
    };
    // The base's own entry keeps its time.
    expect([config.created, ...config.history.map(({ created }) => created)]).toEqual([
      '2023-11-14T22:13:20Z',
      '2024-01-01T00:00:00Z',
      ...Array.from({ length: 5 }, () => '2023-11-14T22:13:20Z'),
    ]);
  });

  it('puts annotations where they are asked for', async () => {
    await build(
      '--annotation',
      'everywhere=1',
      '--annotation',
      'manifest[linux/s390x]:never=1',
      '-o',
      `type=oci,tar=false,dest=${out('annotated')},annotation.own=2,annotation-manifest-descriptor.d=3`,
    );
    expect((await raw(`oci:${out('annotated')}`)).annotations).toEqual({ everywhere: '1', own: '2' });
    const index = (await json(join(out('annotated'), 'index.json'))) as { manifests: { annotations?: object }[] };
    expect(index.manifests[0]?.annotations).toEqual({ d: '3' });
  });

  it('pushes several names, by digest and by tag, and tells what with the keys of buildx', async () => {
    await using registry = await serve();
    const { host } = registry;
    await build(
      '-t',
      `${host}/app:1`,
      '-t',
      `${host}/app:2`,
      '-t',
      `${host}/other:1`,
      '--push',
      '--metadata-file',
      out('push.json'),
    );
    const metadata = await json(out('push.json'));
    const digest = metadata['containerimage.digest'] as string;
    const config = metadata['containerimage.config.digest'];
    expect(Object.keys(metadata).sort()).toEqual([
      'buildx.build.ref',
      'containerimage.config.digest',
      'containerimage.descriptor',
      'containerimage.digest',
      'image.name',
    ]);
    expect(metadata['image.name']).toBe([`${host}/app:1`, `${host}/app:2`, `${host}/other:1`].join(','));
    expect(metadata['containerimage.descriptor']).toMatchObject({
      mediaType: `${oci}.manifest.v1+json`,
      digest,
      annotations: { 'config.digest': config },
    });
    for (const name of ['app:1', 'app:2', 'other:1', `other@${digest}`]) {
      const found = await raw(`docker://${host}/${name}`);
      expect(found.config.digest).toBe(config);
    }
    await build(
      '-o',
      `type=image,name=${host}/third,push=true,push-by-digest=true,name-canonical=true,store=false`,
      '--metadata-file',
      out('digest.json'),
    );
    const pushed = await json(out('digest.json'));
    expect(pushed['image.name']).toBe(`${host}/third,${host}/third@${String(pushed['containerimage.digest'])}`);
    await raw(`docker://${host}/third@${String(pushed['containerimage.digest'])}`);
    const { code } = await runCli(['pull', '-q', `${host}/third:latest`]);
    expect(code).not.toBe(0);
    expect(await slipway(['images'])).not.toContain('third');
  });

  it('keeps the form that a name was given when it is pushed', async () => {
    await using registry = await serve();
    const name = `${registry.host}/formed:1`;
    await build('-o', `type=image,name=${name},compression=zstd,annotation.k=v`);
    await slipway(['push', '-q', name]);
    const { annotations, layers } = await raw(`docker://${name}`);
    expect([annotations, layers.at(-1)?.mediaType]).toEqual([{ k: 'v' }, `${oci}.layer.v1.tar+zstd`]);
    await slipway(['rmi', name]);
  });

  it('merges into a folder that is there, or takes its place', async () => {
    const folder = out('folder');
    await mkdir(join(folder, 'd'), { recursive: true });
    await writeFile(join(folder, 'mine'), 'mine');
    await writeFile(join(folder, 'd', 'mine'), 'mine');
    await writeFile(out('target'), 'not to be written');
    await symlink(out('target'), join(folder, 'file'));
    await build('-o', `type=local,dest=${folder}`);
    expect((await readdir(join(folder, 'd'))).sort()).toEqual(['a', 'link', 'mine']);
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('from the context\n');
    expect(await readFile(out('target'), 'utf8')).toBe('not to be written');
    await build('-o', `type=local,dest=${folder},mode=delete`);
    const left = await readdir(folder);
    expect(left).not.toContain('mine');
    expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
    expect((await readdir(join(folder, 'd'))).sort()).toEqual(['a', 'link']);
  });

  it('refuses a file over a folder before it changes anything, and the working folder for mode=delete', async () => {
    const folder = out('conflict');
    await mkdir(join(folder, 'file', 'below'), { recursive: true });
    const { code, stderr } = await failing('-o', `type=local,dest=${folder}`);
    expect([code, stderr]).toEqual([1, expect.stringContaining('file is a folder at the destination')]);
    expect(await readdir(folder)).toEqual(['file']);
    const deleting = await failing('-o', 'type=local,dest=.,mode=delete');
    expect([deleting.code, deleting.stderr]).toEqual([1, expect.stringContaining('mode=delete would delete')]);
  });

  it('gives back what mode=delete cannot replace', async () => {
    const folder = out('mounted');
    await mkdir(join(folder, 'a-mount'), { recursive: true });
    await writeFile(join(folder, 'Mine'), 'mine');
    await writeFile(join(folder, 'file'), 'mine too');
    const { node, launcher } = await reachableProgram(home);
    const command = [node, launcher, 'build', '-q', ...base, '-o', `type=local,dest=${folder},mode=delete`, context];
    const script = `mount -t tmpfs t ${folder}/a-mount && exec "$@"`;
    const { code } = await run('/usr/bin/unshare', ['--mount', 'sh', '-c', script, 'sh', ...command], {
      env: { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') },
    });
    expect(code).toBe(1);
    expect((await readdir(folder)).sort()).toEqual(['Mine', 'a-mount', 'file']);
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('mine too');
  });

  it('leaves what the store had without a name, and lists nothing that only went elsewhere', async () => {
    const root = { env: { SLIPWAY_ROOT: join(home, 'other') } };
    const other = (...args: readonly string[]) => slipway(['build', '-q', ...base, ...args, context], root);
    const listed = async () => (await slipway(['images', '-q', '--no-trunc'], root)).trim();
    await other('-o', 'type=cacheonly');
    await other('-o', `type=oci,dest=${out('other.tar')},squash=true`);
    expect(await listed()).toBe('');
    const id = (await other()).trim();
    await other('-o', `type=oci,dest=${out('other.tar')}`);
    expect(await listed()).toBe(id);
  });

  it('keeps the outputs before one that fails, and names that', async () => {
    const taken = out('taken');
    await mkdir(join(taken, 'file'), { recursive: true });
    const { code, stderr } = await failing(
      '-o',
      `type=oci,dest=${out('before.tar')}`,
      '-o',
      `type=local,dest=${taken}`,
      '-o',
      `type=tar,dest=${out('after.tar')}`,
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining(`output type=local,dest=${taken}: `)]);
    expect([existsSync(out('before.tar')), existsSync(out('after.tar'))]).toEqual([true, false]);
  });

  it('leaves a destination as it was when a step fails', async () => {
    await writeFile(out('kept.tar'), 'kept');
    const { code } = await runCli(
      ['build', '-q', ...base, '-o', `type=oci,dest=${out('kept.tar')}`, '-o', `type=local,dest=${out('never')}`, '-'],
      { input: 'FROM busybox\nRUN exit 3\n' },
    );
    expect(code).toBe(3);
    expect([await readFile(out('kept.tar'), 'utf8'), existsSync(out('never'))]).toEqual(['kept', false]);
  });

  const noUser = whyNoOrdinaryUser();
  (noUser === undefined ? it : it.skip)(
    `squashes and rewrites as an ordinary user too${noUser === undefined ? '' : ` (${noUser})`}`,
    async () => {
      const user = await ordinaryUser();
      try {
        const own = out('user');
        await mkdir(own);
        await chown(own, user.uid, user.gid);
        await run('/bin/chmod', ['-R', 'a+rX', home]);
        const forms = ['squash=true', 'rewrite-timestamp=true', 'force-compression=true,compression=zstd'];
        const outputs = forms.flatMap((form, at) => ['-o', `type=oci,dest=${join(own, `${at}.tar`)},${form}`]);
        const args = ['build', '-q', ...base, '--build-arg', `SOURCE_DATE_EPOCH=${epoch}`, ...outputs, context];
        await slipway(args, { user, env: { HOME: own, SLIPWAY_ROOT: join(own, 'store'), USER: user.name } });
        const counts = forms.map(async (_, at) => (await raw(`oci-archive:${join(own, `${at}.tar`)}`)).layers.length);
        expect(await Promise.all(counts)).toEqual([2, 5, 5]);
        // With an epoch both are the same, whoever built them.
        await build(
          '--build-arg',
          `SOURCE_DATE_EPOCH=${epoch}`,
          '-o',
          `type=oci,dest=${out('roots.tar')},rewrite-timestamp=true`,
        );
        const layersOf = async (file: string) => (await raw(`oci-archive:${file}`)).layers;
        expect(await layersOf(join(own, '1.tar'))).toEqual(await layersOf(out('roots.tar')));
        // Files of its store belong to ids that only root can take away.
        await run('/bin/rm', ['-rf', own]);
      } finally {
        await user.remove();
      }
    },
    60_000,
  );

  it('leaves nothing behind', async () => {
    expect(await leftovers(home)).toEqual([]);
  });

  async function serve(): Promise<AsyncDisposable & { readonly host: string }> {
    const registry = await ourRegistry(out(`registry-${Math.random().toString(36).slice(2)}`));
    return { host: registry.host, [Symbol.asyncDispose]: () => registry.close() };
  }
});
