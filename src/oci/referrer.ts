import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { compact } from './json.ts';
import type { ImageIndex, Manifest } from './manifest.ts';

/** A manifest that points at another one: the subject's digest, and the entry that a referrers list has for it. */
export interface Referrer {
  readonly subject: Digest;
  readonly entry: Descriptor;
}

/**
 * What a referrers list says of `document`, stored as `descriptor`; undefined without a subject. The artifact type falls
 * back to the config's media type, and annotations are carried (distribution-spec, "Listing Referrers").
 */
export function referrerOf(descriptor: Descriptor, document: Manifest | ImageIndex): Referrer | undefined {
  if (document.subject === undefined) return undefined;
  const fallback = document.kind === 'manifest' ? document.config.mediaType : undefined;
  return {
    subject: document.subject.digest,
    entry: compact<Descriptor>({
      mediaType: document.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      artifactType: document.artifactType ?? fallback,
      annotations: document.annotations,
    }),
  };
}
