import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { busyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { describeWith, listTree, type PeerPrograms, peerPrograms, untar } from './peer-programs.ts';
import { slipway, testHome } from './run-cli.ts';

const context = join(dirname(import.meta.dirname), 'fixtures', 'e2e', 'peers-buildah');

let home: string;
let peers: PeerPrograms;
let registry: OurRegistry;
let base: string;

interface Theirs {
  readonly tree: readonly string[];
  /** The digest of the config, which is the image's id. */
  readonly id: string;
}
const theirs: Record<string, Theirs> = {};

describeWith(['buildah', 'podman', 'skopeo', 'runc'], 'what others built', () => {
  beforeAll(async () => {
    home = await testHome();
    peers = await peerPrograms(join(home, 'peers'));
    registry = await ourRegistry(home);
    await busyboxBase(join(home, 'busybox'));
    base = `oci:${join(home, 'busybox')}`;
    await peers.skopeo('copy', '-q', '--dest-tls-verify=false', base, `docker://${registry.host}/busybox:1`);
    for (const format of ['oci', 'docker']) theirs[format] = await buildTheirs(format);
  }, 120_000);

  afterAll(async () => {
    await registry?.close();
  });

  async function buildTheirs(format: string): Promise<Theirs> {
    const name = `localhost/theirs:${format}`;
    const from = ['--build-arg', `BASE=${registry.host}/busybox:1`, '--tls-verify=false'];
    await peers.buildah('bud', '-q', '--layers', '--format', format, ...from, '-t', name, context);
    const id = (await peers.buildah('images', '-q', '--no-trunc', name)).trim();
    const container = (await peers.buildah('from', name)).trim();
    const tree = await listTree((await peers.buildah('mount', container)).trim());
    await peers.buildah('rm', container);
    return { tree, id };
  }

  const push = (format: string, tag: string, ...flags: string[]): Promise<string> => {
    const name = `${registry.host}/theirs:${tag}`;
    return peers.buildah(
      'push',
      '-q',
      '--tls-verify=false',
      ...flags,
      `localhost/theirs:${format}`,
      `docker://${name}`,
    );
  };

  /** Each gives the image to us and resolves to its name in our store. */
  const ways: readonly (readonly [title: string, format: 'oci' | 'docker', give: () => Promise<string>])[] = [
    ['buildah push, OCI with gzip', 'oci', () => pushed('oci', 'oci')],
    ['buildah push, docker with gzip', 'docker', () => pushed('docker', 'docker')],
    ['buildah push, OCI without compression', 'oci', () => pushed('oci', 'plain', '--disable-compression')],
    ['skopeo copy to a registry with zstd', 'oci', zstdPushed],
    ['podman save, docker-archive', 'docker', () => saved('docker', 'docker-archive')],
    ['podman save, oci-archive', 'oci', () => saved('oci', 'oci-archive')],
    ['skopeo copy to a layout', 'oci', () => copied('oci', 'oci:LAYOUT:tag')],
    ['skopeo copy to an OCI archive', 'oci', () => copied('oci', 'oci-archive:LAYOUT.tar:tag')],
    ['skopeo copy to a docker archive', 'docker', () => copied('docker', 'docker-archive:LAYOUT.tar:their/name:tag')],
  ];

  async function pushed(format: string, tag: string, ...flags: string[]): Promise<string> {
    await push(format, tag, ...flags);
    const name = `${registry.host}/theirs:${tag}`;
    expect(await slipway(['pull', '-q', name])).toBe(`${name}\n`);
    return name;
  }

  async function zstdPushed(): Promise<string> {
    const name = `${registry.host}/zstd:1`;
    await push('oci', 'for-zstd');
    const layout = `oci:${join(home, 'for-zstd')}:1`;
    const source = `docker://${registry.host}/theirs:for-zstd`;
    // Over a layout and without gzip: what the registry has as gzip would be used again.
    await peers.skopeo('copy', '-q', '--src-tls-verify=false', '--dest-decompress', source, layout);
    const zstd = ['--dest-compress', '--dest-compress-format', 'zstd'];
    await peers.skopeo('copy', '-q', ...zstd, layout, `dir:${join(home, 'zstd-dir')}`);
    await peers.skopeo('copy', '-q', '--dest-tls-verify=false', `dir:${join(home, 'zstd-dir')}`, `docker://${name}`);
    expect(await peers.skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`)).toContain('tar+zstd');
    await slipway(['pull', '-q', name]);
    return name;
  }

  async function saved(format: string, kind: string): Promise<string> {
    const archive = join(home, `podman-${kind}.tar`);
    await peers.podman('save', '-q', '--format', kind, '-o', archive, `localhost/theirs:${format}`);
    expect(await slipway(['load', '-i', archive])).toBe(`Loaded image: localhost/theirs:${format}\n`);
    return `localhost/theirs:${format}`;
  }

  async function copied(format: string, place: string): Promise<string> {
    const from = `${registry.host}/theirs:for-${format}`;
    await push(format, `for-${format}`);
    const to = place.replace('LAYOUT', join(home, `skopeo-${place.split(':')[0]}`));
    await peers.skopeo('copy', '-q', '--src-tls-verify=false', `docker://${from}`, to);
    await slipway(['copy', '-q', to, 'store:copied:1']);
    return 'copied:1';
  }

  it.each(ways)('comes in by %s', async (_, format, give) => {
    const name = await give();
    const expected = theirs[format];
    const [image] = JSON.parse(await slipway(['inspect', name])) as [Inspected];
    expect(image.Id).toBe(expected?.id);
    expect(image.Config).toMatchObject({
      User: 'www-data',
      WorkingDir: '/srv/tree',
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['id'],
      ExposedPorts: { '8080/tcp': {} },
      StopSignal: 'SIGINT',
    });
    expect(image.Config.Env).toContain('GREETING=hello world');
    expect(image.Config.Labels['org.example.kind']).toBe('their test');
    expect(image.Config.Healthcheck?.Test).toEqual(format === 'docker' ? ['CMD-SHELL', 'true'] : undefined);
    expect(image.RootFS.Layers).toHaveLength(4);

    const layers = JSON.parse(await slipway(['layers', '--json', name])) as { createdBy: string }[];
    expect(layers.map((layer) => /RUN|COPY|mkdir|rm -r|busybox/.exec(layer.createdBy)?.[0])).toEqual([
      'busybox',
      'mkdir',
      'COPY',
      'rm -r',
    ]);
    const history = JSON.parse(await slipway(['history', '--json', name])) as { CreatedBy: string }[];
    expect(history.length).toBeGreaterThan(4);
    expect(history[0]?.CreatedBy).toContain('CMD ["id"]');
    const files = JSON.parse(await slipway(['layers', '--json', name, '/srv/hello.txt'])) as { layer: number }[];
    expect(files).toMatchObject([{ path: 'srv/hello.txt', layer: 2, uid: 33, gid: 33 }]);

    const tar = join(home, 'on-top.tar');
    const dockerfile = `FROM ${name}\nRUN id > /tmp/id; cat hard link > /tmp/both; ls /opaque > /tmp/opaque\n`;
    await slipway(['build', '-q', '-o', `type=tar,dest=${tar}`, '-'], { input: dockerfile });
    const root = await untar(tar, join(home, 'on-top'));
    try {
      const tree = await listTree(root);
      expect(tree.filter((line) => !line.startsWith('tmp/'))).toEqual(expected?.tree);
      expect(
        tree.filter((line) => line.startsWith('tmp/')).map((line) => line.split('|').slice(0, 5).join(' ')),
      ).toEqual(['tmp/both f 644 33:33 8', 'tmp/id f 644 33:33 54', 'tmp/opaque f 644 33:33 6']);
    } finally {
      await rm(root, { recursive: true, force: true });
      await slipway(['rmi', name]);
      await slipway(['prune', '-af']);
    }
  });

  it('comes in by podman save of several images', async () => {
    const archive = join(home, 'several.tar');
    await peers.podman('tag', 'localhost/theirs:docker', 'localhost/theirs:again');
    const names = ['docker', 'again', 'oci'].map((tag) => `localhost/theirs:${tag}`);
    await peers.podman('save', '-q', '-m', '--format', 'docker-archive', '-o', archive, ...names);
    const loaded = (await slipway(['load', '-i', archive])).trimEnd().split('\n');
    expect(loaded.sort()).toEqual(names.map((name) => `Loaded image: ${name}`).sort());
    const ids = await slipway(['inspect', '-f', '{{.Id}}', ...names]);
    const docker = theirs['docker']?.id;
    expect(ids.split('\n').slice(0, 2)).toEqual([docker, docker]);
    await slipway(['copy', '-q', `docker-archive:${archive}:localhost/theirs:again`, 'store:chosen:1']);
    expect(await slipway(['inspect', '-f', '{{.Id}}', 'chosen:1'])).toBe(`${docker}\n`);
    await slipway(['prune', '-af']);
  });

  it.each(['oci', 'v2s2'])('comes in by buildah manifest push, whole and by platform (%s)', async (format) => {
    const list = `list-${format}`;
    const name = `${registry.host}/${list}:1`;
    await peers.buildah('manifest', 'create', list);
    for (const [made, platform] of [
      ['oci', []],
      ['docker', ['--arch', 'arm', '--variant', 'v7']],
    ] as const) {
      await push(made, `${made}-in-${format}`, '--format', format);
      const image = `docker://${registry.host}/theirs:${made}-in-${format}`;
      await peers.buildah('manifest', 'add', '--tls-verify=false', ...platform, list, image);
    }
    await peers.buildah(
      'manifest',
      'push',
      '-q',
      '--all',
      '--tls-verify=false',
      '--format',
      format,
      list,
      `docker://${name}`,
    );
    const raw = await peers.skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`);
    const digest = `sha256:${createHash('sha256').update(raw).digest('hex')}`;
    expect((await slipway(['copy', '-q', `docker://${name}`, `oci:${join(home, list)}:1`])).trim()).toBe(digest);
    await slipway(['pull', '-q', name]);
    expect(await slipway(['inspect', '-f', '{{json .RepoDigests}}', name])).toContain(`@${digest}`);
    await slipway(['rmi', name]);
  });

  it('shares a layout with skopeo: each adds images beside the other’s', async () => {
    const layout = join(home, 'shared');
    const first = (await slipway(['copy', '-q', base, `oci:${layout}:ours`])).trim();
    await peers.skopeo('copy', '-q', base, `oci:${layout}:theirs`);
    await slipway(['copy', '-q', base, `oci:${layout}:last`]);
    for (const tag of ['ours', 'theirs', 'last']) {
      const shown = JSON.parse(await peers.skopeo('inspect', `oci:${layout}:${tag}`)) as { Digest: string };
      expect(shown.Digest).toBe(first);
      expect((await slipway(['copy', '-q', `oci:${layout}:${tag}`, `oci:${layout}-${tag}:1`])).trim()).toBe(first);
    }
  });

  describeWith(['umoci'], 'umoci', () => {
    it('makes a layout that we copy, list and build on', async () => {
      const layout = join(home, 'umoci');
      const image = `${layout}:made`;
      const file = join(context, 'hello.txt');
      await peers.umoci('init', '--layout', layout);
      await peers.skopeo('copy', '-q', base, `oci:${image}`);
      await peers.umoci('insert', '--image', image, file, '/srv/inserted');
      await peers.umoci('insert', '--image', image, '--whiteout', '/etc/nsswitch.conf');
      await peers.umoci(
        'config',
        '--image',
        image,
        '--config.env',
        'A=b',
        '--config.workingdir',
        '/srv',
        '--author',
        'me',
      );
      await slipway(['copy', '-q', `oci:${image}`, 'store:from-umoci']);
      const [{ Config, Author }] = JSON.parse(await slipway(['inspect', 'from-umoci'])) as [Inspected];
      expect([Config.WorkingDir, Config.Env.at(-1), Author]).toEqual(['/srv', 'A=b', 'me']);
      expect(await slipway(['layers', 'from-umoci', '--layer', '2'])).toContain('deletes  /etc/nsswitch.conf');
      const ran = join(home, 'ran');
      const dockerfile =
        'FROM from-umoci AS a\nRUN pwd > /out; cat inserted >> /out; ls /etc >> /out\nFROM scratch\nCOPY --from=a /out /\n';
      await slipway(['build', '-q', '-o', `type=tar,dest=${ran}.tar`, '-'], { input: dockerfile });
      await untar(`${ran}.tar`, ran);
      expect(await readFile(join(ran, 'out'), 'utf8')).toBe('/srv\nhello\ngroup\nhosts\npasswd\nresolv.conf\n');
    });
  });

  it('leaves nothing behind', async () => {
    expect(await leftovers(home)).toEqual([expect.stringMatching(/^process \d+ .*registry serve/)]);
  });
});

interface Inspected {
  readonly Id: string;
  readonly Author: string;
  readonly Config: {
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
    readonly WorkingDir: string;
    readonly Healthcheck?: { readonly Test: readonly string[] };
  };
  readonly RootFS: { readonly Layers: readonly string[] };
}
