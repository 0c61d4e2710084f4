import { existsSync } from 'node:fs';
import { parseReference, type Target, targetReference } from '../../oci/index.ts';
import type { OpenRepository } from '../images/resolve.ts';
import type { CachePlace } from './request.ts';

/** An open place for caches. Every kind of place is a Target (DESIGN idea 1), so that import and export are one thing for all. */
export interface OpenPlace extends AsyncDisposable {
  readonly target: Target;
  /** Names of the cache there: the first is read, all are written. */
  readonly references: readonly string[];
  /** How people call it. */
  readonly label: string;
  /** What the store keeps of it so that layers can be had later; `openLayerSource` opens it again. */
  readonly source: string;
  /** Content there may vanish piece by piece, so that a known manifest does not mean that its layers are there. */
  readonly forgets: boolean;
  /** Deletes what no name there leads to any more. */
  readonly collectGarbage?: (() => Promise<void>) | undefined;
}

export interface OpenPlaceOptions {
  readonly open: OpenRepository;
  readonly access: 'pull' | 'push';
}

/** undefined: nothing was ever put there. @throws what the place throws */
export async function openPlace(place: CachePlace, options: OpenPlaceOptions): Promise<OpenPlace | undefined> {
  switch (place.type) {
    case 'registry':
      return openRegistryPlace(place.ref, options);
    case 'local':
      return openFolder(place.path, place.tag, options);
    case 's3': {
      const { openS3Place } = await import('./s3/place.ts');
      return openS3Place(place);
    }
    case 'gha': {
      const { openGhaPlace } = await import('./gha/place.ts');
      return openGhaPlace(place);
    }
  }
}

const nothingToClose = async (): Promise<void> => {};

async function openRegistryPlace(ref: string, { open, access }: OpenPlaceOptions): Promise<OpenPlace> {
  const target = await open(ref, access);
  const references = [targetReference(parseReference(ref))];
  return {
    target,
    references,
    label: ref,
    source: target.label,
    forgets: false,
    [Symbol.asyncDispose]: nothingToClose,
  };
}

/** Exports to one folder may run at once: nothing is deleted while another process writes there. */
async function openFolder(path: string, tag: string, { access }: OpenPlaceOptions): Promise<OpenPlace | undefined> {
  if (access === 'pull' && !existsSync(path)) return undefined;
  const { openLayout } = await import('../../transports/index.ts');
  const target = await openLayout(path, { create: access === 'push' });
  const place = { target, references: [tag], label: path, source: target.label, forgets: false };
  if (access === 'pull') return { ...place, [Symbol.asyncDispose]: nothingToClose };
  const writing = await target.beginWriting();
  return {
    ...place,
    collectGarbage: () => writing.collectGarbage(),
    [Symbol.asyncDispose]: () => writing[Symbol.asyncDispose](),
  };
}
