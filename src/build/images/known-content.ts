import { Readable } from 'node:stream';
import type { Digest, Target } from '../../oci/index.ts';

/** A place seen with what was read of it already: manifests and configs, verified, which are not asked for again. */
export function withKnown(from: Target, known: ReadonlyMap<Digest, Uint8Array>): Target {
  return {
    label: from.label,
    fetch: async (descriptor, options = {}) => {
      const content = known.get(descriptor.digest);
      if (content === undefined || content.byteLength !== descriptor.size) return from.fetch(descriptor, options);
      return Readable.from([content.subarray(options.offset ?? 0)], { objectMode: false });
    },
    exists: (descriptor, options) => from.exists(descriptor, options),
    push: (descriptor, content, options) => from.push(descriptor, content, options),
    resolve: (reference, options) => from.resolve(reference, options),
    tag: (descriptor, reference, options) => from.tag(descriptor, reference, options),
    referrers: (digest, artifactType, options) => from.referrers(digest, artifactType, options),
  };
}
