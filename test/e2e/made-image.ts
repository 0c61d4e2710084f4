import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { reply, type ScriptedServer, scriptedServer } from '../registry/scripted-server.ts';

/** An image made by hand, on Node alone, so that it can be as wrong as wanted. */
export interface MadeImage {
  readonly manifest: MadeDescriptor;
  readonly layers: readonly MadeDescriptor[];
  /** By digest: manifest, config and layers. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export interface MadeDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** An image of these layers, given as tars, lowest first. */
export function makeImage(tars: readonly Buffer[]): MadeImage {
  const blobs = new Map<string, Buffer>();
  const add = (mediaType: string, content: Buffer): MadeDescriptor => {
    const digest = digestOf(content);
    blobs.set(digest, content);
    return { mediaType, digest, size: content.length };
  };
  const addJson = (mediaType: string, value: unknown) => add(mediaType, Buffer.from(JSON.stringify(value)));
  const gzipped = tars.map((tar) => gzipSync(tar, { level: 1 }));
  const layers = gzipped.map((content) => add('application/vnd.oci.image.layer.v1.tar+gzip', content));
  const config = addJson('application/vnd.oci.image.config.v1+json', {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
  });
  const manifest = addJson(manifestType, { schemaVersion: 2, mediaType: manifestType, config, layers });
  return { manifest, layers, blobs };
}

/** Writes an OCI layout of the image; blobs in `instead` have that content, whatever their name says. */
export function writeLayout(
  image: MadeImage,
  folder: string,
  instead: ReadonlyMap<string, Buffer> = new Map(),
): string {
  const blobs = join(folder, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  for (const [digest, content] of [...image.blobs, ...instead]) writeFileSync(join(blobs, digest.slice(7)), content);
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [image.manifest] }));
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return folder;
}

/** Sends a blob or manifest; the head is not written yet. */
export type Send = (response: ServerResponse, content: Buffer, digest: string) => void | Promise<void>;

/** A registry that has this image under every name, and sends its blobs as `send` does. */
export function serveImage(image: MadeImage, send: Send = (response, content) => reply(response, 200, {}, content)) {
  return scriptedServer(async ({ method, url }, response): Promise<void> => {
    if (url === '/v2/') return reply(response, 200, {}, '{}');
    const [, kind, reference = ''] = /\/(manifests|blobs)\/([^/?]+)$/.exec(url) ?? [];
    const digest = kind === 'manifests' && !reference.includes(':') ? image.manifest.digest : reference;
    const content = image.blobs.get(digest);
    if (content === undefined) return reply(response, 404, {}, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    if (kind === 'manifests') {
      const headers = { 'content-type': manifestType, 'docker-content-digest': digest };
      return reply(response, 200, headers, content);
    }
    if (method === 'HEAD') return reply(response, 200, {}, content);
    await send(response, content, digest);
  }) satisfies Promise<ScriptedServer>;
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
