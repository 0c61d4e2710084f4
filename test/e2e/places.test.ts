import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DebianRegistry, debianRegistry } from '../registry/debian-registry.ts';
import { leftovers } from './leftovers.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { describeWith, type PeerPrograms, peerPrograms, succeed } from './peer-programs.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

let home: string;
let debian: DebianRegistry;
let ours: OurRegistry;
let peers: PeerPrograms;
/** Of the one image that goes everywhere: its manifest and its config. */
let digest: string;
let id: string;

interface Place {
  /** Where an image of this name is, as `slipway copy` takes it. */
  readonly at: (name: string) => string;
  /** The digest of the manifest or index that is there, found without Slipway. */
  readonly digestAt: (name: string) => Promise<string | undefined>;
}

const onRegistry = (host: () => string): Place => ({
  at: (name) => `docker://${host()}/${name}:1`,
  digestAt: async (name) => {
    const url = `http://${host()}/v2/${name}/manifests/1`;
    const response = await fetch(url, { method: 'HEAD', headers: { accept: manifestTypes } });
    return response.headers.get('docker-content-digest') ?? undefined;
  },
});
const inArchive = (kind: string): Place => ({
  at: (name) => `${kind}:${home}/${kind}-${name}.tar:${name}:1`,
  digestAt: async (name) => digestOfIndex(await succeed('tar', ['-xOf', `${home}/${kind}-${name}.tar`, 'index.json'])),
});
const places: Readonly<Record<string, Place>> = {
  "Debian's registry": onRegistry(() => debian.host),
  'our registry': onRegistry(() => ours.host),
  'a layout': {
    at: (name) => `oci:${home}/layout-${name}:${name}:1`,
    digestAt: async (name) => digestOfIndex(await readFile(`${home}/layout-${name}/index.json`, 'utf8')),
  },
  'an OCI archive': inArchive('oci-archive'),
  'a docker archive': inArchive('docker-archive'),
  'the store': {
    at: (name) => `store:${name}:1`,
    digestAt: async (name) => {
      const [image] = JSON.parse(await slipway(['inspect', `${name}:1`])) as [
        { Id: string; Descriptor: { digest: string } },
      ];
      expect(image.Id).toBe(id);
      return image.Descriptor.digest;
    },
  },
};
const names = Object.keys(places);
const placeOf = (name: string): Place => places[name] as Place;

function digestOfIndex(text: string): string | undefined {
  const { manifests } = JSON.parse(text) as { manifests: { digest: string }[] };
  expect(manifests).toHaveLength(1);
  return manifests[0]?.digest;
}

describeWith([], 'copies between places', () => {
  beforeAll(async () => {
    home = await testHome();
    peers = await peerPrograms(join(home, 'peers'));
    [debian, ours] = await Promise.all([debianRegistry(), ourRegistry(home)]);
    const context = join(home, 'context');
    await mkdir(context);
    await writeFile(join(context, 'file'), 'content\n');
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY file /\nCOPY file /again\nCMD ["/file"]\n');
    id = (await slipway(['build', '-q', '-t', 'from:1', context])).trim();
    digest = (await slipway(['copy', '-q', 'store:from:1', placeOf('a layout').at('from')])).trim();
    for (const name of names.filter((each) => !/layout|store/.test(each)))
      await slipway(['copy', '-q', 'store:from:1', placeOf(name).at('from')]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([debian?.close(), ours?.close()]);
  });

  describe.each(names)('from %s', (from) => {
    it.each(names)('to %s, with the same digest', async (to) => {
      const name = `to-${names.indexOf(from)}`;
      expect((await slipway(['copy', '-q', placeOf(from).at('from'), placeOf(to).at(name)])).trim()).toBe(digest);
      expect(await placeOf(to).digestAt(name)).toBe(digest);
    });
  });

  it('keeps the image over save and load through a pipe, for both kinds of archive', async () => {
    const launcher = join(import.meta.dirname, '..', '..', 'bin', 'slipway');
    for (const format of ['docker', 'oci']) {
      const store = join(home, `piped-${format}`);
      const env = { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') };
      const script = `"$0" "$1" save --format ${format} from:1 | SLIPWAY_ROOT="$2" "$0" "$1" load`;
      const loaded = await succeed('/bin/sh', ['-c', script, process.execPath, launcher, store], { env });
      expect(loaded).toBe('Loaded image: from:1\n');
      const shown = await slipway(['inspect', '-f', '{{.Id}} {{.Descriptor.digest}}', 'from:1'], {
        env: { SLIPWAY_ROOT: store },
      });
      expect(shown).toBe(`${id} ${digest}\n`);
    }
  });

  describe('of an image for two platforms', () => {
    let index: string;
    const manifests: Record<string, string> = {};

    beforeAll(async () => {
      const layout = join(home, 'multi');
      for (const platform of ['linux/amd64', 'linux/arm64']) {
        const build = ['build', '-q', '--platform', platform, '-t', `multi-${platform.split('/')[1]}`];
        await slipway([...build, join(home, 'context')]);
        const place = `oci:${layout}:${platform.split('/')[1]}`;
        manifests[platform] = (await slipway(['copy', '-q', `store:multi-${platform.split('/')[1]}`, place])).trim();
      }
      index = await writeIndex(layout, manifests);
    }, 60_000);

    it.each(["Debian's registry", 'our registry', 'a layout', 'an OCI archive'])('whole, to %s', async (to) => {
      expect((await slipway(['copy', '-q', `oci:${join(home, 'multi')}:all`, placeOf(to).at('multi')])).trim()).toBe(
        index,
      );
      expect(await placeOf(to).digestAt('multi')).toBe(index);
      // And on from there, whole again.
      const next = `oci:${join(home, `multi-back-${names.indexOf(to)}`)}:1`;
      expect((await slipway(['copy', '-q', placeOf(to).at('multi'), next])).trim()).toBe(index);
    });

    it('for one platform only', async () => {
      const copied = (
        await slipway([
          'copy',
          '-q',
          '--platform',
          'linux/arm64',
          `oci:${join(home, 'multi')}:all`,
          placeOf('our registry').at('arm'),
        ])
      ).trim();
      const shown = await slipway(['pull', '-q', '--platform', 'linux/arm64', `${ours.host}/arm:1`]);
      expect(shown).toBe(`${ours.host}/arm:1\n`);
      const format = '{{.Architecture}} {{.Descriptor.digest}}';
      expect(await slipway(['inspect', '-f', format, `${ours.host}/arm:1`])).toBe(
        `arm64 ${manifests['linux/arm64']}\n`,
      );
      expect(await placeOf('our registry').digestAt('arm')).toBe(copied);
      const gone = await fetch(`http://${ours.host}/v2/arm/manifests/${manifests['linux/amd64']}`, {
        headers: { accept: manifestTypes },
      });
      expect(gone.status).toBe(404);
    });

    it('into the store comes what this machine can run', async () => {
      await slipway(['copy', '-q', placeOf('our registry').at('multi'), 'store:here:1']);
      const machine = process.arch === 'x64' ? 'amd64' : 'arm64';
      expect(await slipway(['inspect', '-f', '{{.Architecture}}', 'here:1'])).toBe(`${machine}\n`);
    });

    it('that has no such platform fails, and leaves nothing', async () => {
      const to = placeOf('our registry').at('none');
      const { code, stderr } = await runCli([
        'copy',
        '-q',
        '--platform',
        'linux/s390x',
        `oci:${join(home, 'multi')}:all`,
        to,
      ]);
      expect(code).toBe(1);
      expect(stderr).toContain('linux/s390x');
      expect(await placeOf('our registry').digestAt('none')).toBeUndefined();
    });
  });

  describeWith(['skopeo', 'podman'], 'our registry, for skopeo and podman', () => {
    it('lists tags, inspects, and deletes', async () => {
      for (const tag of ['v1', 'v2'])
        await slipway(['copy', '-q', 'store:from:1', `docker://${ours.host}/listed:${tag}`]);
      const tags = await peers.skopeo('list-tags', '--tls-verify=false', `docker://${ours.host}/listed`);
      expect(JSON.parse(tags)).toEqual({ Repository: `${ours.host}/listed`, Tags: ['v1', 'v2'] });
      const image = `docker://${ours.host}/listed:v1`;
      expect(JSON.parse(await peers.skopeo('inspect', '--tls-verify=false', image))).toMatchObject({ Digest: digest });
      await peers.skopeo('delete', '--tls-verify=false', image);
      await expect(peers.skopeo('inspect', '--tls-verify=false', image)).rejects.toThrow(/manifest unknown/);
      const { code, stderr } = await runCli(['pull', '-q', `${ours.host}/listed:v1`]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/cannot pull .*listed:v1: .* does not have it/),
      });
    });

    it('gives podman the platform it asks for, and takes what podman pushes', async () => {
      const name = `${ours.host}/multi:1`;
      await peers.podman('pull', '-q', '--tls-verify=false', '--platform', 'linux/arm64', name);
      expect(await peers.podman('image', 'inspect', '--format', '{{.Architecture}}', name)).toBe('arm64\n');
      await peers.podman('push', '-q', '--tls-verify=false', name, `docker://${ours.host}/from-podman:1`);
      await slipway(['pull', '-q', '--platform', 'linux/arm64', `${ours.host}/from-podman:1`]);
      expect(await slipway(['layers', '--json', `${ours.host}/from-podman:1`, '/again'])).toContain('"path": "again"');
    });
  });

  it('leaves nothing behind', async () => {
    expect(await leftovers(home)).toEqual([expect.stringMatching(/^process \d+ .*registry serve/)]);
  });
});

/** Adds an index over the manifests of a layout to it, by hand, as tag `all`. Returns its digest. */
async function writeIndex(layout: string, manifests: Readonly<Record<string, string>>): Promise<string> {
  const file = join(layout, 'index.json');
  const root = JSON.parse(await readFile(file, 'utf8')) as {
    manifests: { digest: string; size: number; mediaType: string }[];
  };
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const entries = Object.entries(manifests).map(([platform, each]) => {
    const { size = 0, mediaType: type } = root.manifests.find((entry) => entry.digest === each) ?? {};
    const [os, architecture] = platform.split('/');
    return { mediaType: type, digest: each, size, platform: { architecture, os } };
  });
  const content = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }));
  const hash = createHash('sha256').update(content).digest('hex');
  await writeFile(join(layout, 'blobs', 'sha256', hash), content);
  const annotations = { 'org.opencontainers.image.ref.name': 'all' };
  const all = { mediaType, digest: `sha256:${hash}`, size: content.length, annotations };
  await writeFile(file, JSON.stringify({ ...root, manifests: [...root.manifests, all] }));
  return all.digest;
}
