import { readdir } from 'node:fs/promises';
import {
  codeOf,
  describe,
  type Descriptor,
  hexOf,
  isDigest,
  mediaTypes,
  OciError,
  parseManifestOrIndex,
  serializeIndex,
} from '../oci/index.ts';
import { TransportError } from './error.ts';
import { folderFiles, type LayoutFiles, memoryFile, readDocument } from './layout-files.ts';
import { LayoutReader } from './layout-reader.ts';
import { LayoutSource } from './layout-source.ts';
import type { TransportSource } from './transport.ts';

/** The file that says what a folder is, as skopeo writes it. */
export const versionFile = 'version';
export const versionText = 'Directory Transport Version: 1.1\n';
/** The file of the one manifest or index that a folder is about. */
export const rootFile = 'manifest.json';

/** Where a manifest below an index is; blobs have their digest's hex digits alone as names. */
export function manifestFile(descriptor: Descriptor): string {
  return `${hexOf(descriptor.digest)}.manifest.json`;
}

/**
 * Opens skopeo's `dir:`, a folder with one image as files that are easy to look into: shown as the files of a layout whose
 * index has the one entry.
 * @throws TransportError NOT_A_LAYOUT, INVALID_LAYOUT; OciError NOT_FOUND
 */
export async function openFolder(path: string): Promise<TransportSource> {
  const label = `dir:${path}`;
  const files = folderFiles(path, label);
  const root = await rootOf(path, files);
  const entry = { kind: 'index', mediaType: mediaTypes.ociIndex, manifests: [root.descriptor] } as const;
  const documents = new Map([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', serializeIndex(entry)],
    [`blobs/${root.descriptor.digest.replace(':', '/')}`, root.content],
  ]);
  const view: LayoutFiles = {
    label,
    open: async (wanted) => {
      const document = documents.get(wanted);
      if (document !== undefined) return memoryFile(document);
      const [, algorithm = '', hex = ''] = /^blobs\/([^/]+)\/([^/]+)$/.exec(wanted) ?? [];
      if (!isDigest(`${algorithm}:${hex}`)) return undefined;
      return (await files.open(hex)) ?? files.open(`${hex}.manifest.json`);
    },
  };
  const reader = new LayoutReader(view);
  return new LayoutSource(label, reader, { [Symbol.asyncDispose]: async () => {} });
}

async function rootOf(path: string, files: LayoutFiles) {
  const content = await readDocument(files, rootFile);
  if (content === undefined) {
    if ((await namesIn(path)) === undefined) throw new OciError('NOT_FOUND', `there is no folder ${path}`);
    throw new TransportError('NOT_A_LAYOUT', `${files.label} has no ${rootFile}`, {
      hint: `dir: is skopeo's form of a folder; an OCI layout is oci:${path}`,
    });
  }
  return { content, descriptor: describe(parseManifestOrIndex(content).mediaType, content) };
}

/** The names in a folder; undefined where there is none. */
export async function namesIn(path: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
