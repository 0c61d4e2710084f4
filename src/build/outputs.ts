import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  chainIdOfAll,
  copyGraph,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ImageConfig,
} from '../oci/index.ts';
import type { ImageForm, Store } from '../store/index.ts';
import { BuildError } from './error.ts';
import type { OnBuildEvent } from './events.ts';
import { pushImage } from './images/push.ts';
import type { OpenRepository } from './images/resolve.ts';
import type { Lane } from './lane.ts';
import type { BuildOutput, BuildRequest, OutputForm } from './request.ts';
import type { Workshop } from './workshop.ts';

export interface ExportedImage {
  /** The manifest, where an output needed one. */
  readonly manifest?: Descriptor | undefined;
}

export interface ExportOptions extends CallOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  readonly request: BuildRequest;
  readonly workshop: Workshop;
  readonly lane: Lane;
}

/**
 * Refuses outputs that cannot work, before any step is done.
 * @throws BuildError OUTPUT_INVALID
 */
export function checkOutputs(request: BuildRequest, names: readonly string[]): void {
  const pushes =
    request.push ||
    request.outputs.some((output) => output.type === 'registry' || (output.type === 'image' && output.push));
  const named = names.length > 0 || request.outputs.some((output) => 'name' in output && output.name !== undefined);
  if (pushes && !named) {
    throw new BuildError('OUTPUT_INVALID', 'tag is needed when pushing to registry', {
      exitCode: 125,
      hint: 'name the image with -t',
    });
  }
  for (const output of request.outputs) if ('destination' in output) checkDestination(output);
}

/** A folder cannot become a file, nor a file a folder. */
function checkDestination(output: BuildOutput & { readonly destination: string }): void {
  const { type, destination } = output;
  if (destination === '-') return;
  const asFolder = type === 'local' || ('asFolder' in output && output.asFolder);
  const isFolder = statSync(destination, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === true && !asFolder) throw impossible(`${destination} is a folder, type=${type} writes a file`);
  if (isFolder === false && asFolder) throw impossible(`${destination} is a file, the output is a folder`);
  for (let at = resolve(destination, '..'); ; at = dirname(at)) {
    const above = statSync(at, { throwIfNoEntry: false });
    if (above?.isDirectory() || at === dirname(at)) return;
    if (above !== undefined) throw impossible(`${at}, on the way to ${destination}, is not a folder`);
  }
}

function impossible(why: string): BuildError {
  return new BuildError('OUTPUT_INVALID', `cannot write the output: ${why}`);
}

/** Registers the image in the store under its names and sends it to every output. */
export async function exportImage(
  config: ImageConfig,
  names: readonly string[],
  options: ExportOptions,
): Promise<{ imageId: Digest; names: readonly string[]; exported: ExportedImage }> {
  const { store, request } = options;
  const id = 'export';
  options.onEvent({ type: 'step-start', id, title: 'exporting to image', time: Date.now() });
  const stored = new Set(names);
  for (const output of request.outputs)
    if (output.type === 'image' && output.name !== undefined) stored.add(output.name);
  const imageId = await store.images.create(config, [...stored]);
  let exported: ExportedImage = {};
  const pushed: BuildOutput[] = request.push ? [{ type: 'registry', name: undefined, form: {} }] : [];
  for (const output of [...request.outputs, ...pushed])
    exported = { ...exported, ...(await exportOne(output, imageId, config, [...stored], options)) };
  options.onEvent({ type: 'step-done', id, cached: false, time: Date.now() });
  // An image that only went elsewhere does not stay here as a nameless one; its layers stay as cache.
  if (stored.size === 0 && request.outputs.length > 0 && !request.outputs.some((output) => output.type === 'image')) {
    if (store.images.find(imageId)?.names.length === 0) store.images.remove(imageId);
  }
  return { imageId, names: [...stored], exported };
}

async function exportOne(
  output: BuildOutput,
  imageId: Digest,
  config: ImageConfig,
  names: readonly string[],
  options: ExportOptions,
): Promise<ExportedImage> {
  switch (output.type) {
    case 'oci':
    case 'docker':
      return { manifest: await exportArchive(output, imageId, names, options) };
    case 'tar':
    case 'local':
      await exportTree(output, config, options);
      return {};
    case 'registry':
      return {
        manifest: await push(
          output.name === undefined ? names : [output.name],
          imageId,
          formOf(output.form, 'oci'),
          options,
        ),
      };
    case 'image': {
      const targets = output.name === undefined ? names : [output.name];
      return output.push ? { manifest: await push(targets, imageId, formOf(output.form, 'oci'), options) } : {};
    }
  }
}

async function push(
  names: readonly string[],
  imageId: Digest,
  form: ImageForm,
  { store, open, signal }: ExportOptions,
): Promise<Descriptor | undefined> {
  let manifest: Descriptor | undefined;
  for (const name of names) manifest = (await pushImage(imageId, name, { store, open, form, signal })).descriptor;
  return manifest;
}

function formOf(form: OutputForm, mediaTypes: ImageForm['mediaTypes']): ImageForm {
  const compression = form.compression ?? 'gzip';
  return {
    mediaTypes: form.mediaTypes ?? mediaTypes,
    compression,
    ...(form.level === undefined ? {} : { level: form.level }),
  };
}

async function exportArchive(
  output: BuildOutput & { type: 'oci' | 'docker' },
  imageId: Digest,
  names: readonly string[],
  options: ExportOptions,
): Promise<Descriptor> {
  const { createDockerArchive, createOciArchive, openLayout } = await import('../transports/index.ts');
  const { store, signal } = options;
  const manifest = await store.materialize(imageId, formOf(output.form, 'oci'), { signal });
  const { destination } = output;
  const place = destination === '-' ? process.stdout : destination;
  await using sink = await (output.asFolder
    ? openLayout(destination, { create: true })
    : output.type === 'oci'
      ? createOciArchive(place)
      : createDockerArchive(place));
  await copyGraph(store.target, sink, manifest, { signal });
  for (const name of names.length === 0 ? [''] : names) await sink.tag(manifest, name, { signal });
  await sink.commit({ signal });
  return manifest;
}

/** The merged tree of the image, as a tar archive or as files. */
async function exportTree(
  output: BuildOutput & { type: 'tar' | 'local' },
  config: ImageConfig,
  options: ExportOptions,
): Promise<void> {
  const { store, workshop, lane, signal } = options;
  await store.unpack(config.diffIds, { signal });
  const root = store.snapshots.view(chainIdOfAll(config.diffIds));
  const destination = resolve(output.destination);
  const scratch = await lane.scratch();
  if (output.type === 'local') {
    await mkdir(destination, { recursive: true });
    await workshop.run({ kind: 'export', root, scratch, form: 'folder', destination }, { signal });
    return;
  }
  const streamed = isStream(output.destination);
  const file = !streamed ? `${destination}.${lane.id}.partial` : join(scratch, 'tree.tar');
  try {
    await mkdir(dirname(file), { recursive: true });
    await workshop.run({ kind: 'export', root, scratch, form: 'tar', destination: file }, { signal });
    if (!streamed) {
      await rename(file, destination);
      return;
    }
    const stream = output.destination === '-' ? process.stdout : createWriteStream(destination);
    await pipeline(createReadStream(file), stream, { end: stream !== process.stdout, signal });
  } finally {
    await rm(file, { force: true });
  }
}

/** Standard output (`-`), a pipe or a device is written into: a rename would put a file in its place. */
function isStream(destination: string): boolean {
  if (destination === '-') return true;
  const found = statSync(destination, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile();
}
