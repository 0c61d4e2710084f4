import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { debianRegistry, type DebianRegistry } from '../test/registry/debian-registry.ts';
import type { Comparison, Contender } from './harness.ts';
import { Place, project, run, slipway } from './place.ts';

const layers = 12;
const layerSize = 40 << 20;
const crane = join(project, '.cache/newer-peers/root/usr/bin/crane');
const skopeo = '/usr/bin/skopeo';

/** Bars: at most twice crane's processor time and 1.6 of its wall time, below 200 MB. */
export async function transfersPull(): Promise<Comparison> {
  const { place, registry, image } = await bench();
  const name = `${registry.host}/bench:one`;
  await run(slipway('copy', '-q', `oci:${image}:one`, `docker://${name}`));
  const out = place.path('out');
  const prepare = () => place.clear('out');
  const contenders: Contender[] = [
    { name: 'crane pull', command: [crane, 'pull', '--insecure', '--format=oci', name, out], prepare },
    {
      name: 'skopeo copy',
      command: [skopeo, 'copy', '-q', '--src-tls-verify=false', `docker://${name}`, `oci:${out}:one`],
      prepare,
    },
    { name: 'slipway copy', command: slipway('copy', '-q', `docker://${name}`, `oci:${out}:one`), prepare },
  ];
  return comparison('480 MB in 12 layers from a registry to a layout', contenders, place);
}

/** The same the other way, into an empty registry each time. */
export async function transfersPush(): Promise<Comparison> {
  const { place, registry, image } = await bench();
  const name = `${registry.host}/bench:one`;
  const [data = ''] = (await readdir(place.folder)).filter((each) => each.startsWith('slipway-debian-registry-'));
  const prepare = () => place.clear(join(data, 'data'));
  const contenders: Contender[] = [
    { name: 'crane push', command: [crane, 'push', '--insecure', image, name], prepare },
    {
      name: 'skopeo copy',
      command: [skopeo, 'copy', '-q', '--dest-tls-verify=false', `oci:${image}:one`, `docker://${name}`],
      prepare,
    },
    { name: 'slipway copy', command: slipway('copy', '-q', `oci:${image}:one`, `docker://${name}`), prepare },
  ];
  return comparison('480 MB in 12 layers from a layout to a registry', contenders, place);
}

async function bench(): Promise<{ readonly place: Place; readonly registry: DebianRegistry; readonly image: string }> {
  const place = await Place.make();
  place.onClose(() => place.clear('.'));
  const registry = await debianRegistry(place.folder);
  place.onClose(() => registry.close());
  return { place, registry, image: await makeLayout(place.path('image')) };
}

/** Peers that are not installed are left out. */
function comparison(title: string, contenders: readonly Contender[], place: Place): Comparison {
  return {
    title,
    contenders: contenders.filter(({ command: [program] }) => existsSync(program)),
    rounds: 5,
    close: () => place.close(),
  };
}

/** A layout of random layers in gzip's own stored form, so that nobody compresses them. */
async function makeLayout(folder: string): Promise<string> {
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
  const put = async (mediaType: string, content: Buffer) => {
    const hex = createHash('sha256').update(content).digest('hex');
    await writeFile(join(folder, 'blobs/sha256', hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const putJson = (mediaType: string, value: unknown) => put(mediaType, Buffer.from(JSON.stringify(value)));
  const made: Awaited<ReturnType<typeof put>>[] = [];
  const diffIds: string[] = [];
  for (let at = 0; at < layers; at += 1) {
    const content = randomBytes(layerSize);
    diffIds.push(`sha256:${createHash('sha256').update(content).digest('hex')}`);
    made.push(await put('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(content, { level: 0 })));
  }
  const config = await putJson('application/vnd.oci.image.config.v1+json', {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIds },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await putJson(mediaType, { schemaVersion: 2, mediaType, config, layers: made });
  const annotations = { 'org.opencontainers.image.ref.name': 'one' };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return folder;
}
