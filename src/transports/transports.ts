import type { Readable, Writable } from 'node:stream';
import type { ArchiveOptions } from './archive-files.ts';
import { createDockerArchive, createOciArchive, type ArchiveSinkOptions } from './archive-sink.ts';
import { openDockerArchive, openOciArchive } from './archive-source.ts';
import { createEngineImage, openEngineImage } from './docker-daemon.ts';
import { createFolder } from './folder-sink.ts';
import { openFolder } from './folder-source.ts';
import { openLayout } from './layout-target.ts';
import { type FileLocation, standardStream, type TransportKind } from './location.ts';
import type { TransportSink, TransportSource } from './transport.ts';

/** One way of having images outside of registries and the store. */
interface Transport {
  openSource(path: string, options: ArchiveOptions): Promise<TransportSource>;
  openSink(path: string, options: ArchiveSinkOptions): Promise<TransportSink>;
}

/** A new way of having images is an entry here, and its words in location.ts. */
const transports: Readonly<Record<TransportKind, Transport>> = {
  oci: { openSource: (path) => openLayout(path), openSink: (path) => openLayout(path, { create: true }) },
  'oci-archive': {
    openSource: (path, options) => openOciArchive(inputAt(path), options),
    openSink: (path, options) => createOciArchive(outputAt(path), options),
  },
  'docker-archive': {
    openSource: (path, options) => openDockerArchive(inputAt(path), options),
    openSink: (path, options) => createDockerArchive(outputAt(path), options),
  },
  dir: { openSource: openFolder, openSink: createFolder },
  'docker-daemon': { openSource: openEngineImage, openSink: createEngineImage },
};

function inputAt(path: string): string | Readable {
  return path === standardStream ? process.stdin : path;
}

function outputAt(path: string): string | Writable {
  return path === standardStream ? process.stdout : path;
}

/** Opens a place on disk for reading. */
export function openSource({ kind, path }: FileLocation, options: ArchiveOptions = {}): Promise<TransportSource> {
  return transports[kind].openSource(path, options);
}

/** Opens a place on disk for writing; a layout folder is made or added to, an archive is made anew. */
export function openSink({ kind, path }: FileLocation, options: ArchiveSinkOptions = {}): Promise<TransportSink> {
  return transports[kind].openSink(path, options);
}
