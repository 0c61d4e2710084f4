import { isSlipwayError } from '../../errors.ts';
import { copyGraph, type CopyEvent, type Descriptor, type Digest, shortId, type Target } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import type { OnBuildEvent } from '../events.ts';
import { mountOrigins } from '../images/mount-origins.ts';
import type { OpenRepository } from '../images/resolve.ts';
import type { BuiltImage } from '../outputs/roots.ts';
import type { BuildCache } from './build-cache.ts';
import { collectDocument, makeCache } from './collect.ts';
import { firstLine, placeName } from './import.ts';
import { openPlace, type OpenPlace } from './place.ts';
import type { CacheExport } from './request.ts';

export interface CacheExportOptions {
  readonly store: Store;
  readonly cache: BuildCache;
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  readonly signal?: AbortSignal | undefined;
}

type PlaceExport = CacheExport & { readonly type: 'place' };

/**
 * Writes the build's cache to what `--cache-to` names, one after the other. A failure is told of; it fails the build only where
 * `ignore-error=false` wants that.
 */
export async function exportCaches(
  exports: readonly CacheExport[],
  results: readonly BuiltImage[],
  options: CacheExportOptions,
): Promise<void> {
  const { onEvent, signal } = options;
  for (const [at, each] of exports.entries()) {
    if (each.type !== 'place') continue;
    const id = `cache-to ${at}`;
    const shown = placeName(each.place);
    onEvent({ type: 'step-start', id, title: `exporting cache to ${shown}`, time: Date.now() });
    try {
      await exportCache(each, results, { ...options, id });
      onEvent({ type: 'step-done', id, cached: false, time: Date.now() });
    } catch (error) {
      signal?.throwIfAborted();
      const message = `the cache was not exported to ${shown}: ${firstLine(error)}`;
      if (!each.ignoreError) {
        onEvent({ type: 'step-error', id, message, time: Date.now() });
        throw error;
      }
      onEvent({ type: 'note', level: 'warning', message });
      onEvent({ type: 'step-done', id, cached: false, skipped: true, time: Date.now() });
    }
  }
}

/** A layer that an imported cache has lost fails the first try; the second tells what its step gave without it. */
async function exportCache(
  { place, mode, form }: PlaceExport,
  results: readonly BuiltImage[],
  options: CacheExportOptions & { readonly id: string },
): Promise<void> {
  const { store, cache, open } = options;
  const limit = place.type === 'gha' ? [AbortSignal.timeout(place.timeout)] : [];
  const signals = [...(options.signal === undefined ? [] : [options.signal]), ...limit];
  const signal = signals.length === 0 ? undefined : AbortSignal.any(signals);
  await using opened = await openPlace(place, { open, access: 'push' });
  if (opened === undefined) throw new Error('a place to export to was not made');
  const wanted = mode === 'max' ? undefined : new Set(results.flatMap(({ config }) => config.diffIds));
  const document = collectDocument(cache);
  const lost = new Set<Digest>();
  for (let attempt = 1; ; attempt++) {
    const made = await makeCache(document, {
      store,
      form,
      wanted: (diffId) => !lost.has(diffId) && (wanted?.has(diffId) ?? true),
      signal,
    });
    try {
      await send(opened, made.source, made.descriptor, { ...options, signal });
      return;
    } catch (error) {
      const gone = attempt > 1 ? [] : await goneLayers(made.blobs, options);
      if (gone.length === 0) throw error;
      for (const diffId of gone) lost.add(diffId);
    }
  }
}

async function send(
  { target, references, label, forgets, collectGarbage }: OpenPlace,
  source: Target,
  manifest: Descriptor,
  { store, open, onEvent, id, signal }: CacheExportOptions & { readonly id: string },
): Promise<void> {
  const stale = forgets ? references : await staleNames(target, references, manifest, { signal });
  if (stale.length > 0) {
    await copyGraph(source, target, manifest, {
      signal,
      mountFrom: mountOrigins(store, target, open),
      // Such places take large portions, each of which is in memory.
      ...(forgets ? { existing: 'look-inside', concurrency: 3 } : {}),
      onEvent: (event) => report(event, { onEvent, id }),
    });
  }
  for (const name of stale) await target.tag(manifest, name, { signal });
  await collectGarbage?.().catch((error: unknown) => {
    const message = `${label} was written, but what it no longer needs was not deleted: ${firstLine(error)}`;
    onEvent({ type: 'note', level: 'warning', message });
  });
}

/** Names that do not lead to this cache yet: with none, there is nothing to send. */
async function staleNames(
  target: Target,
  names: readonly string[],
  manifest: Descriptor,
  options: { readonly signal: AbortSignal | undefined },
): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const name of names) {
    try {
      if ((await target.resolve(name, options)).digest !== manifest.digest) stale.push(name);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isSlipwayError(error)) throw error;
      stale.push(name); // not there, or not to be read: writing it shows
    }
  }
  return stale;
}

function report(
  event: CopyEvent,
  { onEvent, id }: Pick<CacheExportOptions, 'onEvent'> & { readonly id: string },
): void {
  if (event.kind !== 'progress') return;
  const { digest, size } = event.descriptor;
  onEvent({ type: 'step-progress', id, label: `layer ${shortId(digest)}`, current: event.bytes, total: size });
}

/** Layers that are elsewhere, and are not there any more. */
async function goneLayers(
  blobs: ReadonlyMap<Digest, Descriptor>,
  { store, open, signal }: CacheExportOptions,
): Promise<readonly Digest[]> {
  const { openLayerSource } = await import('./layer-source.ts');
  const gone: Digest[] = [];
  for (const [diffId, blob] of blobs) {
    if (store.content.state(blob.digest) !== 'remote') continue;
    let found = false;
    for (const source of store.content.sources(blob.digest)) {
      const offer = openLayerSource(source, open).then((place) => place.exists(blob, { signal }));
      found ||= await offer.catch(() => false);
    }
    if (!found) gone.push(diffId);
  }
  signal?.throwIfAborted();
  return gone;
}
