import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DebianRegistry, debianRegistry } from '../registry/debian-registry.ts';
import { busyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { describeWith, listTree, type PeerPrograms, peerPrograms, succeed, untar } from './peer-programs.ts';
import { slipway, testHome } from './run-cli.ts';

const context = join(dirname(import.meta.dirname), 'fixtures', 'e2e', 'peers');
const name = 'peers:1';
const fullName = 'docker.io/library/peers:1';

let home: string;
let peers: PeerPrograms;
/** The tree that every peer must make of the image: what our own tar export holds. */
let tree: string[];
let digest: string;

describeWith(['skopeo', 'runc'], 'what Slipway built', () => {
  let debian: DebianRegistry;
  let ours: OurRegistry;

  beforeAll(async () => {
    home = await testHome();
    peers = await peerPrograms(join(home, 'peers'));
    const build = ['build', '-q', ...(await busyboxBase(join(home, 'busybox'))), '-t', name];
    await slipway([...build, '-o', `type=oci,tar=false,dest=${join(home, 'layout')}`, context]);
    await slipway([...build, '-o', `type=tar,dest=${join(home, 'root.tar')}`, context]);
    tree = await listTree(await untar(join(home, 'root.tar'), join(home, 'root')));
    [debian, ours] = await Promise.all([debianRegistry(), ourRegistry(home)]);
    for (const { host } of [debian, ours]) {
      await slipway(['tag', name, `${host}/peers/image:1`]);
      digest = /digest: (\S+)/.exec(await slipway(['push', `${host}/peers/image:1`]))?.[1] ?? '';
    }
    await slipway(['save', '-o', join(home, 'docker.tar'), name]);
    await slipway(['save', '--format', 'oci', '-o', join(home, 'oci.tar'), name]);
  }, 120_000);

  afterAll(async () => {
    await Promise.all([debian?.close(), ours?.close()]);
  });

  it('holds the special files with their modes and owners', () => {
    const short = tree.map((line) => line.split('|').slice(0, 4).join('|'));
    expect(short).toEqual(
      expect.arrayContaining([
        'opaque|d|755|0:0',
        'opaque/after|f|644|0:0',
        'srv/hello.txt|f|640|33:33',
        'srv/tree|d|1777|0:0',
        'srv/tree/link|l|777|0:0',
        'srv/tree/pipe|p|644|0:0',
        'srv/tree/private|d|2750|1500:1501',
        'srv/tree/private/old|f|644|1500:1501',
        'srv/tree/setuid|f|4755|0:0',
        'srv/tree/snø ☃|f|644|0:0',
      ]),
    );
    expect(tree.find((line) => line.startsWith('srv/tree/hard|'))).toMatch(/\|4\|2\|\|/);
    expect(short.some((line) => /^(?:gone|single|opaque\/be|etc\/nsswitch)/.test(line))).toBe(false);
  });

  const places: readonly (readonly [title: string, place: () => string, digest: 'keeps' | 'remade'])[] = [
    ['the layout of the build', () => `oci:${join(home, 'layout')}`, 'keeps'],
    ['the layout, by name', () => `oci:${join(home, 'layout')}:${fullName}`, 'keeps'],
    ['the store itself', () => `oci:${join(home, 'store')}:${fullName}`, 'keeps'],
    ['an OCI archive', () => `oci-archive:${join(home, 'oci.tar')}`, 'keeps'],
    ['a docker archive', () => `docker-archive:${join(home, 'docker.tar')}`, 'remade'],
    ['a docker archive, by name', () => `docker-archive:${join(home, 'docker.tar')}:${name}`, 'remade'],
    ["Debian's registry", () => `docker://${debian.host}/peers/image:1`, 'keeps'],
    ['our registry', () => `docker://${ours.host}/peers/image:1`, 'keeps'],
    ['our registry, by digest', () => `docker://${ours.host}/peers/image@${digest}`, 'keeps'],
  ];
  it.each(places)('is inspected and copied by skopeo from %s', async (_, place, digestRule) => {
    const insecure = place().startsWith('docker:') ? ['--tls-verify=false'] : [];
    const shown = JSON.parse(await peers.skopeo('inspect', ...insecure, place())) as Record<string, unknown>;
    if (digestRule === 'keeps') expect(shown['Digest']).toBe(digest);
    expect(shown['Labels']).toEqual({ 'org.example.kind': 'peer test' });
    const config = JSON.parse(await peers.skopeo('inspect', '--config', '--raw', ...insecure, place())) as {
      config: unknown;
    };
    expect(config.config).toMatchObject({
      User: 'web',
      WorkingDir: '/srv/tree',
      Entrypoint: ['/bin/sh', '-c'],
      ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['CMD', 'true'], Interval: 5_000_000_000, Retries: 4 },
    });
    const copied = join(home, `copied-${places.findIndex(([, each]) => each === place)}`);
    await peers.skopeo('copy', '-q', ...insecure.map((flag) => `--src-${flag.slice(2)}`), place(), `oci:${copied}:1`);
    const again = await slipway(['copy', '-q', `oci:${copied}:1`, `oci:${copied}:2`]);
    if (digestRule === 'keeps') expect(again.trim()).toBe(digest);
  });

  describeWith(['umoci'], 'umoci', () => {
    it('unpacks the same tree from the layout, and its root works', async () => {
      const bundle = join(home, 'bundle');
      await peers.umoci('unpack', '--image', `${join(home, 'layout')}:${fullName}`, bundle);
      expect(await listTree(join(bundle, 'rootfs'))).toEqual(tree);
      const script = 'id web; cat /srv/tree/hard /srv/tree/link /opaque/*';
      expect(await succeed('chroot', [join(bundle, 'rootfs'), '/bin/sh', '-c', script])).toBe(
        'uid=1600(web) gid=1600(web) groups=1600(web),1700(extra)\nmademade',
      );
    });
  });

  /** What the image's own command prints. */
  const output = [
    'uid=1600(web) gid=1600(web) groups=1600(web),1700(extra)',
    '/srv/tree',
    'hello world',
    'mademadels: /gone: No such file or directory',
    'special',
  ].join('\n');

  describeWith(['podman'], 'podman', () => {
    it.each([
      ["Debian's registry", () => debian.host],
      ['our registry', () => ours.host],
    ])('runs it, pulled from %s', async (_, host) => {
      const image = `${host()}/peers/image:1`;
      await peers.podman('pull', '-q', '--tls-verify=false', image);
      expect(await peers.podman('run', '--rm', image)).toBe(`${output}\n`);
      const [{ Digest }] = JSON.parse(await peers.podman('image', 'inspect', image)) as [{ Digest: string }];
      expect(Digest).toBe(digest);
    });

    it.each([
      ['docker media types', ['--media-types', 'docker'], 'docker.image.rootfs.diff.tar.gzip'],
      ['zstd', ['--compression', 'zstd'], 'layer.v1.tar+zstd'],
      ['no compression', ['--compression', 'none'], 'layer.v1.tar"'],
    ])('runs it, pushed in the form of %s', async (_, flags, mediaType) => {
      const image = `${debian.host}/peers/form:1`;
      await slipway(['tag', name, image]);
      await slipway(['push', '-q', ...flags, image]);
      const manifest = await peers.skopeo('inspect', '--raw', '--tls-verify=false', `docker://${image}`);
      expect(manifest).toContain(mediaType);
      await peers.podman('pull', '-q', '--tls-verify=false', image);
      expect(await peers.podman('run', '--rm', image)).toBe(`${output}\n`);
      await peers.podman('rmi', '-f', image);
      await slipway(['rmi', image]);
    });

    it('loads what a build wrote for docker', async () => {
      const archive = join(home, 'build-docker.tar');
      const build = [
        'build',
        '-q',
        '--build-context',
        `busybox=oci-layout://${join(home, 'busybox')}`,
        '-t',
        'written:1',
      ];
      await slipway([...build, '-o', `type=docker,dest=${archive}`, context]);
      await peers.podman('load', '-q', '-i', archive);
      expect(await peers.podman('run', '--rm', 'docker.io/library/written:1', 'pwd')).toBe('/srv/tree\n');
    });

    it('loads a saved one, and takes the health check of the docker form', async () => {
      await slipway(['save', '--media-types', 'docker', '-o', join(home, 'health.tar'), name]);
      expect(await peers.podman('load', '-q', '-i', join(home, 'health.tar'))).toContain(fullName);
      const format =
        '{{json .Config.Entrypoint}} {{.Config.WorkingDir}} {{json .HealthCheck.Test}} {{.Config.StopSignal}}';
      expect(await peers.podman('image', 'inspect', '--format', format, fullName)).toBe(
        '["/bin/sh","-c"] /srv/tree ["CMD","true"] SIGINT\n',
      );
    });
  });

  describeWith(['buildah'], 'buildah', () => {
    it('has the same tree and runs in it', async () => {
      const image = `${ours.host}/peers/image:1`;
      await peers.buildah('from', '-q', '--tls-verify=false', '--name', 'work', image);
      const root = (await peers.buildah('mount', 'work')).trim();
      expect(await listTree(root)).toEqual(tree);
      const ran = await peers.buildah(
        'run',
        '--runtime',
        'runc',
        'work',
        '--',
        'sh',
        '-c',
        'id -un; pwd; echo $GREETING',
      );
      expect(ran).toBe('web\n/srv/tree\nhello world\n');
      await peers.buildah('umount', 'work');
      await peers.buildah('rm', 'work');
    });

    it('builds on it', async () => {
      const folder = join(home, 'on-top');
      await mkdir(folder);
      await writeFile(
        join(folder, 'Dockerfile'),
        `FROM ${ours.host}/peers/image:1\nRUN id -u > /tmp/by\nUSER root\nRUN rm hard\n`,
      );
      await peers.buildah('bud', '-q', '--tls-verify=false', '-t', 'on-top', folder);
      await peers.buildah('from', '-q', '--name', 'top', 'localhost/on-top');
      const script = 'cat /tmp/by; ls hard 2>&1; stat -c %h file';
      await expect(peers.buildah('run', 'top', '--', 'sh', '-c', script)).resolves.toBe(
        '1600\nls: hard: No such file or directory\n1\n',
      );
      await peers.buildah('rm', 'top');
    });
  });

  it('leaves nothing behind', async () => {
    expect(await leftovers(home)).toEqual([expect.stringMatching(/^process \d+ .*registry serve/)]);
  });
});
