import { beforeAll, expect, it } from '@jest/globals';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ourRegistry } from './our-registry.ts';
import { describeWith, type PeerPrograms, peerPrograms } from './peer-programs.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

interface Index {
  readonly manifests: readonly {
    readonly digest: string;
    readonly platform?: { readonly architecture: string };
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** As if each had been built on a runner of its own: in every kind of place that an image can come from. */
describeWith(['skopeo'], 'manifest create', () => {
  let home: string;
  let context: string;
  let peers: PeerPrograms;

  const out = (name: string): string => join(home, name);
  const create = (...args: readonly string[]) => slipway(['manifest', 'create', ...args]);
  const build = (architecture: string, ...args: readonly string[]) =>
    slipway(['build', '-q', '--platform', `linux/${architecture}`, ...args, context]);
  const index = async (place: string): Promise<Index> =>
    JSON.parse(await peers.skopeo('inspect', '--raw', '--tls-verify=false', place)) as Index;
  const architectures = ({ manifests }: Index): unknown[] => manifests.map(({ platform }) => platform?.architecture);

  beforeAll(async () => {
    home = await testHome();
    peers = await peerPrograms(join(home, 'peers'));
    context = out('context');
    await mkdir(context);
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nARG TARGETARCH\nCOPY <<EOF /arch\n$TARGETARCH\nEOF\n');
    await build('amd64', '-o', `type=oci,tar=false,dest=${out('layout')},name=it`);
    await build('arm64', '-o', `type=oci,dest=${out('oci.tar')}`);
    await build('riscv64', '-o', `type=docker,dest=${out('docker.tar')}`);
    await build('s390x', '-t', 'stored');
  });

  const sources = () => [
    `oci:${out('layout')}`,
    `oci-archive:${out('oci.tar')}`,
    `docker-archive:${out('docker.tar')}`,
  ];

  it('joins layouts, archives and images of the store, into a layout and into the store', async () => {
    await create('all:1', ...sources(), 'stored', '-o', `oci:${out('all')}:1`);
    expect(architectures(await index(`oci:${out('all')}:1`))).toEqual(['amd64', 'arm64', 'riscv64', 's390x']);
    await peers.skopeo('copy', '-q', '--all', `oci:${out('all')}:1`, `oci:${out('all-copied')}:1`);

    const digest = (await create('all:1', ...sources(), 'stored')).trim();
    const told = JSON.parse(await slipway(['manifest', 'inspect', '--json', 'all:1'])) as { digest: string };
    expect(told.digest).toBe(digest);
    // An index in an index is dissolved: here one of the store.
    await create(
      'again',
      'all:1',
      '--platform',
      'linux/arm64',
      '--platform',
      'linux/s390x',
      '-o',
      `oci:${out('some')}`,
    );
    expect(architectures(await index(`oci:${out('some')}`))).toEqual(['arm64', 's390x']);
    const input = 'FROM all:1\n';
    const trees = ['build', '-q', '--platform', 'linux/riscv64', '-o', `type=tar,dest=-`, '-'];
    expect(await slipway(trees, { input })).toContain('riscv64\n');
  });

  it('joins digests of a registry there, and mounts what is in another repository', async () => {
    const registry = await ourRegistry(out('registry'));
    try {
      const app = `${registry.host}/app`;
      const digests: string[] = [];
      for (const architecture of ['amd64', 'arm64']) {
        const args = [
          '-o',
          `type=registry,name=${app},push-by-digest=true,store=false`,
          '--metadata-file',
          out('meta'),
        ];
        await build(architecture, ...args);
        digests.push(
          String((JSON.parse(await readFile(out('meta'), 'utf8')) as Record<string, string>)['containerimage.digest']),
        );
      }
      const annotations = ['--annotation', 'k=v', '--annotation', 'manifest-descriptor[linux/arm64]:d=1'];
      await create(`${app}:1`, digests[0] ?? '', `${app}@${digests[1]}`, '--push', ...annotations);
      const made = await index(`docker://${app}:1`);
      expect([architectures(made), made.annotations]).toEqual([['amd64', 'arm64'], { k: 'v' }]);
      expect(made.manifests.map(({ annotations: own }) => own)).toEqual([undefined, { d: '1' }]);

      const store = { env: { SLIPWAY_ROOT: out('other-store') } };
      const push = ['manifest', 'create', `${registry.host}/moved:1`, `docker://${app}:1`, '--push', '--json'];
      const told = JSON.parse(await slipway(push, store)) as { manifests: { digest: string; platform: string }[] };
      expect(told.manifests.map(({ digest, platform }) => [platform, digest])).toEqual([
        ['linux/amd64', digests[0]],
        ['linux/arm64', digests[1]],
      ]);
      await create(`${registry.host}/moved:1`, sources()[2] ?? '', '--append', '--push');
      expect(architectures(await index(`docker://${registry.host}/moved:1`))).toEqual(['amd64', 'arm64', 'riscv64']);

      // Layers that a registry has come into the store when they are needed.
      await slipway(['manifest', 'create', 'lazy', `${app}:1`], store);
      const tree = ['build', '-q', '--platform', 'linux/arm64', '-o', 'type=tar,dest=-', '-'];
      expect(await slipway(tree, { ...store, input: 'FROM lazy\n' })).toContain('arm64\n');
    } finally {
      await registry.close();
    }
  });

  it('takes the later of two for one platform, and says so; --platform says what a source is for', async () => {
    await build('amd64', '--label', 'later=1', '-o', `type=oci,dest=${out('later.tar')}`);
    const later = `oci-archive:${out('later.tar')}`;
    const args = ['manifest', 'create', 'x', '--dry-run', sources()[0] ?? '', later];
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`linux/amd64: ${later} takes the place of oci:`)]);
    expect((JSON.parse(stdout) as Index).manifests).toHaveLength(1);
    const given = await runCli([...args, '--platform', `linux/ppc64le=${later}`]);
    expect([given.stderr, architectures(JSON.parse(given.stdout) as Index)]).toEqual(['', ['amd64', 'ppc64le']]);
    expect((await runCli(['manifest', 'inspect', 'x'])).code).not.toBe(0);
  });

  it.each([
    ['a manifest annotation', ['--annotation', 'manifest:k=v'], /joined as they are/, 125],
    ['both destinations', ['--push', '-o', 'oci:x'], /exclude each other/, 125],
    ['a platform of nothing', ['--platform', 'linux/amd64=oci:nothing'], /no such source/, 125],
    ['a docker archive', ['-o', 'docker-archive:x.tar'], /single images/, 1],
    ['a platform that is not there', ['--platform', 'linux/mips'], /nothing is left/, 1],
  ])('refuses %s', async (_, args, message, status) => {
    const { code, stderr } = await runCli(['manifest', 'create', 'x', sources()[0] ?? '', ...args], { cwd: home });
    expect([code, stderr]).toEqual([status, expect.stringMatching(message)]);
  });
});
