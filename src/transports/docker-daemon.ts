import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { formatReference, isDigest, parseReference, withTag } from '../oci/index.ts';
import { archiveEntries } from './archive-entries.ts';
import type { ArchiveOptions } from './archive-files.ts';
import { packTar } from './archive-pack.ts';
import type { ArchiveSinkOptions } from './archive-sink.ts';
import { openDockerArchive } from './archive-source.ts';
import { loadIntoEngine, saveFromEngine } from './docker-engine.ts';
import { TransportError } from './error.ts';
import { openLayout } from './layout-target.ts';
import { SpooledSink } from './spooled-sink.ts';
import type { TransportSink, TransportSource } from './transport.ts';

/**
 * Opens an image of docker's engine for reading, by name or id.
 * @throws OciError NOT_FOUND; TransportError ENGINE
 */
export async function openEngineImage(name: string, options: ArchiveOptions = {}): Promise<TransportSource> {
  return openDockerArchive(await saveFromEngine(name, options), options);
}

/**
 * Begins an image for docker's engine, which gets it whole at `commit`.
 * @throws TransportError INVALID_LOCATION for a name that no image can have
 */
export async function createEngineImage(name: string, options: ArchiveSinkOptions = {}): Promise<TransportSink> {
  const reference = isDigest(name) ? undefined : parseReference(name);
  if (reference === undefined || reference.digest !== undefined) {
    throw new TransportError('INVALID_LOCATION', `docker-daemon:${name}: the id is that of the content; write a name`);
  }
  const full = formatReference(reference);
  const folder = await mkdtemp(join(options.spoolFolder ?? tmpdir(), '.slipway-engine-'));
  const layout = await openLayout(folder, { create: true, scratch: true });
  return new SpooledSink({
    label: `docker-daemon:${name}`,
    folder,
    layout,
    nameOf: (tag) => (tag === '' ? full : formatReference(withTag(reference, tag))),
    commit: async (callOptions) => {
      const bytes = packTar(await archiveEntries('docker-archive', folder, layout), options.mtime ?? 0);
      await loadIntoEngine(Readable.from(bytes, { objectMode: false }), callOptions);
    },
  });
}
