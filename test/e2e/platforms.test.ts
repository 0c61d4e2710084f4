import { beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { ourRegistry } from './our-registry.ts';
import { describeWith, type PeerPrograms, peerPrograms } from './peer-programs.ts';
import { debianRegistry, hasDebianRegistry } from '../registry/debian-registry.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

interface RawIndex {
  readonly mediaType: string;
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly platform: { readonly architecture: string; readonly variant?: string };
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One that no machine of the tests is, and no emulator is registered for. */
const foreign = 'linux/s390x';
const both = `linux/amd64,${foreign}`;

describeWith(['busybox', 'skopeo'], 'several platforms', () => {
  let home: string;
  let context: string;
  let peers: PeerPrograms;
  /** A base of two platforms, of our own making: their busybox is the same, and only one can run it. */
  let base: readonly string[];

  beforeAll(async () => {
    home = await testHome();
    peers = await peerPrograms(join(home, 'peers'));
    context = join(home, 'context');
    await mkdir(context);
    await writeFile(join(context, 'file'), 'from the context\n');
    await writeFile(
      join(context, 'Dockerfile'),
      [
        'FROM --platform=$BUILDPLATFORM busybox AS made',
        'RUN echo once >> /made',
        'FROM busybox',
        'ARG TARGETARCH',
        'COPY --from=made /made /made',
        'COPY file /file-$TARGETARCH',
        'WORKDIR /w',
      ].join('\n'),
    );
    const own = await busyboxBase(join(home, 'busybox'));
    const input = 'FROM busybox\n';
    for (const platform of both.split(',')) {
      const layout = join(home, platform.replace('/', '-'));
      const output = `type=oci,tar=false,dest=${layout},name=it`;
      await slipway(['build', '-q', ...own, '--platform', platform, '-o', output, '-'], { input });
    }
    const [first, second] = both.split(',').map((platform) => `oci:${join(home, platform.replace('/', '-'))}`);
    await slipway(['manifest', 'create', 'base', first ?? '', second ?? '', '-o', `oci:${join(home, 'base')}`]);
    base = ['--build-context', `busybox=oci-layout://${join(home, 'base')}`];
  });

  const out = (name: string): string => join(home, name);
  const build = (...args: readonly string[]) => slipway(['build', '-q', ...base, '--platform', both, ...args, context]);
  const raw = async (place: string): Promise<RawIndex> =>
    JSON.parse(await peers.skopeo('inspect', '--raw', '--tls-verify=false', place)) as RawIndex;
  const architectures = ({ manifests }: RawIndex): string[] => manifests.map(({ platform }) => platform.architecture);

  it('are an index in archives, in the store and in registries', async () => {
    await build(
      '-t',
      'several:1',
      '--annotation',
      'index:where=index',
      '--annotation',
      `manifest-descriptor[${foreign}]:k=v`,

      '-o',
      `type=oci,dest=${out('index.tar')}`,
      '--iidfile',
      out('iid'),
      '--metadata-file',
      out('meta'),
    );
    const index = await raw(`oci-archive:${out('index.tar')}`);
    expect([index.mediaType, index.annotations]).toEqual([
      'application/vnd.oci.image.index.v1+json',
      { where: 'index' },
    ]);
    expect(architectures(index)).toEqual(['amd64', 's390x']);
    expect(index.manifests.map(({ annotations }) => annotations)).toEqual([undefined, { k: 'v' }]);
    const metadata = JSON.parse(await readFile(out('meta'), 'utf8')) as Record<string, unknown>;
    expect(await readFile(out('iid'), 'utf8')).toBe(metadata['containerimage.digest']);
    expect(metadata['containerimage.config.digest']).toBeUndefined();

    const listed = (await slipway(['images', '--format', '{{.Repository}}:{{.Tag}}'])).trim().split('\n');
    expect(listed).toEqual(['several:1']);
    expect(await slipway(['images', '--digests', '--format', '{{.Digest}}'])).toBe(
      `${await readFile(out('iid'), 'utf8')}\n`,
    );
    expect(await slipway(['manifest', 'inspect', 'several:1'])).toContain(`Platform:  ${foreign}`);
    await slipway(['save', '--format', 'oci', '-o', out('saved.tar'), 'several:1']);
    expect(architectures(await raw(`oci-archive:${out('saved.tar')}`))).toEqual(['amd64', 's390x']);
    await peers.skopeo('copy', '-q', '--all', `oci-archive:${out('index.tar')}`, `oci:${out('copied')}:it`);
  });

  it('are pushed with all that they name, also to a manifest list of docker', async () => {
    const registries = [await ourRegistry(out('registry')), ...(hasDebianRegistry ? [await debianRegistry()] : [])];
    try {
      for (const { host } of registries) {
        await build('-t', `${host}/app:1`, '-t', `${host}/app:2`, '-t', `${host}/else:1`, '--push');
        await build('-o', `type=registry,name=${host}/app:docker,oci-mediatypes=false,store=false`);
        for (const name of ['app:1', 'app:2', 'else:1'])
          expect(architectures(await raw(`docker://${host}/${name}`))).toEqual(['amd64', 's390x']);
        const list = await raw(`docker://${host}/app:docker`);
        expect([list.mediaType, ...list.manifests.map(({ mediaType }) => mediaType)]).toEqual([
          'application/vnd.docker.distribution.manifest.list.v2+json',
          'application/vnd.docker.distribution.manifest.v2+json',
          'application/vnd.docker.distribution.manifest.v2+json',
        ]);
        const copy = ['copy', '-q', '--all', '--src-tls-verify=false', `docker://${host}/else:1`];
        await peers.skopeo(...copy, `oci:${out(`pulled-${host}`)}:it`);
        await slipway(['tag', 'several:1', `${host}/again:1`]);
        await slipway(['push', '-q', `${host}/app:2`]);
      }
    } finally {
      for (const registry of registries) await registry.close();
    }
  });

  it('do a step once that is the same for all', async () => {
    const { stderr } = await runCli([
      'build',
      '--no-cache',
      '--progress',
      'plain',
      ...base,
      '--platform',
      both,
      context,
    ]);
    expect(stderr.match(/^#\d+ .*RUN echo once/gm)?.length).toBe(1);
    expect(stderr.match(/^#\d+ .*COPY file/gm)?.length).toBe(2);
  });

  it('have a folder each as trees, or none where they do not differ', async () => {
    await build('-o', `type=local,dest=${out('split')}`, '-o', `type=tar,dest=${out('split.tar')}`);
    expect((await readdir(out('split'))).sort()).toEqual(['linux_amd64', 'linux_s390x']);
    expect(existsSync(join(out('split'), 'linux_s390x', 'file-s390x'))).toBe(true);
    const listed = execFileSync('tar', ['-tf', out('split.tar')])
      .toString('utf8')
      .split('\n');
    expect(listed).toEqual(expect.arrayContaining(['linux_amd64/file-amd64', 'linux_s390x/file-s390x']));
    await build('-o', `type=local,dest=${out('joined')},platform-split=false`);
    expect(await readdir(out('joined'))).toEqual(expect.arrayContaining(['file-amd64', 'file-s390x', 'made']));
    await writeFile(join(context, 'Differs'), 'FROM scratch\nARG TARGETARCH\nCOPY <<EOF /same\n$TARGETARCH\nEOF\n');
    const args = ['-f', join(context, 'Differs'), '--platform', both, '-o'];
    const { code, stderr } = await runCli([
      'build',
      '-q',
      ...args,
      `type=local,dest=${out('clash')},platform-split=false`,
      context,
    ]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('same differs between the platforms')]);
    expect(existsSync(out('clash'))).toBe(false);
  });

  it('build on an index in the store', async () => {
    await build('-t', 'below');
    const input = 'FROM below\nARG TARGETARCH\nCOPY --from=below /file-$TARGETARCH /own\n';
    await slipway(['build', '-q', '--platform', foreign, '-t', 'above', '-'], { input });
    const [image] = JSON.parse(await slipway(['inspect', 'above'])) as [{ Architecture: string }];
    expect(image.Architecture).toBe('s390x');
    await slipway(['rmi', 'above', 'below']);
    expect((await slipway(['images', '-a'])).includes('below')).toBe(false);
  });

  it('are refused where they cannot run, before any step, and in a docker archive', async () => {
    const input = 'FROM busybox\nRUN echo first\n';
    const { code, stderr } = await runCli(['build', '--progress', 'plain', ...base, '--platform', both, '-'], {
      input,
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`cannot run ${foreign}: no emulator`)]);
    expect(stderr).toContain('qemu-user-static');
    expect(stderr).toMatch(/>>> +RUN echo first/);
    expect(stderr).not.toContain('[linux/amd64 2/2]');
    const archive = await runCli([
      'build',
      ...base,
      '--platform',
      both,
      '-o',
      `type=docker,dest=${out('d.tar')}`,
      context,
    ]);
    expect([archive.code, archive.stderr]).toEqual([
      125,
      expect.stringContaining('a docker archive holds one platform'),
    ]);
  });

  it('leave nothing behind', async () => {
    expect(await leftovers(home)).toEqual([]);
  });
});
