import type { Readable } from 'node:stream';
import { type ArchiveFiles, type ArchiveOptions, openArchiveFiles } from './archive-files.ts';
import { legacyFiles } from './docker-legacy.ts';
import { TransportError } from './error.ts';
import type { LayoutFiles } from './layout-files.ts';
import { LayoutReader } from './layout-reader.ts';
import { LayoutSource } from './layout-source.ts';
import type { TransportSource } from './transport.ts';

/**
 * Opens an archive of an OCI layout for reading: a path, or a stream such as standard input.
 * @throws TransportError NOT_AN_ARCHIVE, INVALID_ARCHIVE, NOT_A_LAYOUT
 */
export async function openOciArchive(
  source: string | Readable,
  options: ArchiveOptions = {},
): Promise<TransportSource> {
  return open(source, 'oci-archive', options, async (files) => files);
}

/**
 * Opens what `docker save` or `podman save` wrote, now or long ago; as `docker load`, it also takes an archive of an OCI
 * layout. Images of the older form get a docker manifest made here, their layers are the plain tars.
 * @throws TransportError NOT_AN_ARCHIVE, INVALID_ARCHIVE
 */
export async function openDockerArchive(
  source: string | Readable,
  options: ArchiveOptions = {},
): Promise<TransportSource> {
  return open(source, 'docker-archive', options, async (files) => {
    if (files.has('index.json') && files.has('oci-layout')) return files;
    if (files.has('manifest.json')) return legacyFiles(files, options);
    throw new TransportError('NOT_AN_ARCHIVE', `${files.label} has neither manifest.json nor index.json`, {
      hint: 'for a tar of a root file system, use import',
    });
  });
}

async function open(
  source: string | Readable,
  kind: string,
  options: ArchiveOptions,
  view: (files: ArchiveFiles) => Promise<LayoutFiles>,
): Promise<TransportSource> {
  const label = `${kind}:${typeof source === 'string' ? source : '-'}`;
  const files = await openArchiveFiles(source, label, options);
  try {
    const reader = new LayoutReader(await view(files));
    await reader.check();
    return new LayoutSource(label, reader, files);
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}
