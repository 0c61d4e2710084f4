import { isSlipwayError, messageOf } from '../../errors.ts';
import { BuildError } from '../error.ts';
import type { OnBuildEvent } from '../events.ts';
import type { OpenRepository } from '../images/resolve.ts';
import { factName, type ImportedCache, type ImportedRecord } from './imported.ts';
import { openPlace, type OpenPlace } from './place.ts';
import { readCaches } from './read-cache.ts';
import type { ReadDocument } from './document.ts';
import type { CachePlace } from './request.ts';

export interface ImportOptions {
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  readonly signal?: AbortSignal | undefined;
}

/** Reads what `--cache-from` names; no layer is moved. What cannot be read is told of, and the build goes on without it. */
export async function importCaches(
  places: readonly CachePlace[],
  options: ImportOptions,
): Promise<readonly ImportedCache[]> {
  const found = await Promise.all(places.map((place, at) => importCache(place, `cache-from ${at}`, options)));
  return found.filter((cache) => cache !== undefined);
}

async function importCache(
  place: CachePlace,
  id: string,
  { open, onEvent, signal }: ImportOptions,
): Promise<ImportedCache | undefined> {
  const shown = placeName(place);
  onEvent({ type: 'step-start', id, title: `importing cache from ${shown}`, time: Date.now() });
  const limit = place.type === 'gha' ? AbortSignal.timeout(place.timeout) : undefined;
  const limited = limit === undefined ? signal : signal === undefined ? limit : AbortSignal.any([signal, limit]);
  let found: ImportedCache | undefined;
  try {
    await using opened = await openPlace(place, { open, access: 'pull' });
    if (opened === undefined) throw new BuildError('CACHE_NOT_FOUND', 'there is none yet');
    found = importedOf(opened, await readCaches(opened.target, opened.references[0] ?? '', { signal: limited }));
  } catch (error) {
    signal?.throwIfAborted();
    const level = isMissing(error) ? 'info' : 'warning';
    onEvent({ type: 'note', level, message: `no cache from ${shown}: ${firstLine(error)}` });
  }
  onEvent({ type: 'step-done', id, cached: false, skipped: found === undefined, time: Date.now() });
  return found;
}

/** How people call a place. */
export function placeName(place: CachePlace): string {
  switch (place.type) {
    case 'registry':
      return place.ref;
    case 'local':
      return place.path;
    case 's3':
      return `s3://${place.bucket}/${place.prefix}${place.names[0] ?? ''}`;
    case 'gha':
      return `GitHub's cache service, scope ${place.scope}`;
  }
}

function isMissing(error: unknown): boolean {
  return isSlipwayError(error) && (error.code === 'NOT_FOUND' || error.code === 'CACHE_NOT_FOUND');
}

/** The first line of an error, for a note. */
export function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}

function importedOf({ label, source }: OpenPlace, documents: readonly ReadDocument[]): ImportedCache {
  const records = new Map<ImportedRecord['key'], ImportedRecord>();
  const facts = new Map<string, string>();
  for (const document of documents) {
    for (const record of document.records) {
      records.set(record.key, { ...record, blob: document.blobs.get(record.diffId) });
      if (record.created !== undefined) facts.set(factName('created', record.key), record.created);
    }
    for (const { kind, key, value } of document.facts) facts.set(factName(kind, key), value);
  }
  return { label, source, records, facts };
}
