import { mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve as absolute } from 'node:path';
import {
  type CallOptions,
  codeOf,
  type Descriptor,
  fetchBytes,
  hexOf,
  isDocumentType,
  isIndexType,
  parseIndex,
  parseManifest,
} from '../oci/index.ts';
import { syncFolder } from '../system/index.ts';
import { TransportError } from './error.ts';
import { manifestFile, namesIn, rootFile, versionFile, versionText } from './folder-source.ts';
import { folderFiles, readDocument } from './layout-files.ts';
import { blobPath } from './layout-reader.ts';
import { openLayout } from './layout-target.ts';
import { SpooledSink } from './spooled-sink.ts';
import type { TransportSink } from './transport.ts';

/**
 * Begins a folder in skopeo's form `dir:`. It is seen when it is whole; one that was there in this form is replaced, any other
 * is left alone.
 * @throws TransportError INVALID_LOCATION where the folder holds something else
 */
export async function createFolder(path: string): Promise<TransportSink> {
  const destination = absolute(path);
  await requireOurs(destination);
  const folder = await mkdtemp(join(dirname(destination), '.slipway-dir-'));
  const layout = await openLayout(join(folder, 'layout'), { create: true, scratch: true });
  const commit = async ({ signal }: CallOptions): Promise<void> => {
    const [image, ...others] = await layout.list();
    if (image === undefined || others.length > 0) {
      throw new TransportError('NOTHING_TAGGED', `dir:${path} holds one image, not ${others.length + (image ? 1 : 0)}`);
    }
    const whole = await mkdtemp(join(folder, 'dir-'));
    await writeFile(join(whole, versionFile), versionText);
    const move = async (descriptor: Descriptor, name: string): Promise<void> => {
      signal?.throwIfAborted();
      const from = join(folder, 'layout', blobPath(descriptor.digest));
      try {
        await syncFile(from);
        await rename(from, join(whole, name));
      } catch (error) {
        // named twice, or a layer that is not distributed
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    };
    for (const each of await below(layout, image.descriptor)) {
      await move(each, isDocumentType(each.mediaType) ? manifestFile(each) : hexOf(each.digest));
    }
    await move(image.descriptor, rootFile);
    await syncFolder(whole);
    await replace(whole, destination, join(folder, 'old'));
  };
  return new SpooledSink({ label: `dir:${path}`, folder, layout, commit });
}

/** All that a root names, each level before what is above it. */
async function below(layout: Parameters<typeof fetchBytes>[0], root: Descriptor): Promise<readonly Descriptor[]> {
  const content = await fetchBytes(layout, root);
  if (!isIndexType(root.mediaType)) {
    const { config, layers } = parseManifest(content, root.mediaType);
    return [config, ...layers];
  }
  const { manifests } = parseIndex(content, root.mediaType);
  const inner: Descriptor[] = [];
  for (const each of manifests) inner.push(...(await below(layout, each)), each);
  return inner;
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

/** A file that is called `version` makes no image of a folder: what is replaced is gone, so all in it must be of that form. */
async function requireOurs(path: string): Promise<void> {
  const names = await namesIn(path);
  if (names === undefined || names.length === 0) return;
  if (names.every((name) => isOurName(name)) && (await saysWhatItIs(path))) return;
  throw new TransportError('INVALID_LOCATION', `${path} holds something that is no dir: of an image`, {
    hint: 'name a folder that is empty or not there yet',
  });
}

function isOurName(name: string): boolean {
  return (
    name === versionFile ||
    name === rootFile ||
    /^(?:[0-9a-f]{64,128}(?:\.manifest\.json)?|(?:[0-9a-f]{64,128}\.)?signature-\d+)$/.test(name)
  );
}

async function saysWhatItIs(path: string): Promise<boolean> {
  const version = await readDocument(folderFiles(path, path), versionFile);
  return version?.toString('latin1').startsWith('Directory Transport Version: ') === true;
}

/** A folder cannot be renamed over a full one: the old one steps aside first. */
async function replace(whole: string, destination: string, aside: string): Promise<void> {
  await requireOurs(destination);
  const there = await namesIn(destination);
  if (there !== undefined) await rename(destination, aside);
  try {
    await rename(whole, destination);
  } catch (error) {
    if (there !== undefined) await rename(aside, destination);
    throw error;
  }
  await syncFolder(dirname(destination));
  await rm(aside, { recursive: true, force: true });
}
