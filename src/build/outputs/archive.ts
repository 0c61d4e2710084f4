import { type CallOptions, copyGraph } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { createDockerArchive, createOciArchive, openLayout, type TransportSink } from '../../transports/index.ts';
import type { ArchiveOutput } from './output.ts';
import type { Root } from './roots.ts';

/** Writes an archive or a layout under each name. An archive is at its place when it is complete. */
export async function writeArchive(
  output: ArchiveOutput,
  { descriptor }: Root,
  { names, store, signal }: CallOptions & { readonly names: readonly string[]; readonly store: Store },
): Promise<void> {
  await using sink = await openSink(output);
  await copyGraph(store.target, sink, descriptor, { signal });
  for (const name of names.length === 0 ? [''] : names) await sink.tag(descriptor, name, { signal });
  await sink.commit({ signal });
}

function openSink({ type, destination, asFolder }: ArchiveOutput): Promise<TransportSink> {
  if (asFolder) return openLayout(destination, { create: true });
  const place = destination === '-' ? process.stdout : destination;
  return type === 'oci' ? createOciArchive(place) : createDockerArchive(place);
}
