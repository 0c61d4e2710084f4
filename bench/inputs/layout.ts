import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

interface Described {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** Makes an OCI layout with one image, named `latest`, whose layers are gzip files. They are moved into it. */
export async function writeLayout(folder: string, layers: readonly string[]): Promise<void> {
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
  const described: Described[] = [];
  const diffIds: string[] = [];
  for (const layer of layers) {
    diffIds.push(`sha256:${await digestOf(layer, 'inflated')}`);
    described.push(await addLayer(folder, layer));
  }
  const config = await addJson(folder, 'application/vnd.oci.image.config.v1+json', {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map((_, at) => ({ created_by: `layer ${at}` })),
  });
  const content = { schemaVersion: 2, mediaType: manifestType, config, layers: described };
  const manifest = await addJson(folder, manifestType, content);
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

async function addLayer(folder: string, file: string): Promise<Described> {
  const hex = await digestOf(file, 'as it is');
  const { size } = await stat(file);
  await rename(file, join(folder, 'blobs/sha256', hex));
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: `sha256:${hex}`, size };
}

async function addJson(folder: string, mediaType: string, value: unknown): Promise<Described> {
  const content = Buffer.from(JSON.stringify(value));
  const hex = createHash('sha256').update(content).digest('hex');
  await writeFile(join(folder, 'blobs/sha256', hex), content);
  return { mediaType, digest: `sha256:${hex}`, size: content.length };
}

export async function digestOf(file: string, form: 'as it is' | 'inflated'): Promise<string> {
  const hash = createHash('sha256');
  if (form === 'inflated') await pipeline(createReadStream(file), createGunzip(), hash);
  else await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
