import type { Readable } from 'node:stream';
import {
  type CallOptions,
  codeOf,
  type Descriptor,
  type FetchOptions,
  isForeignLayerType,
  OciError,
  type Target,
  verifyStream,
} from '../../oci/index.ts';
import { pipeline } from 'node:stream';

/**
 * A place seen with the layers that may not be distributed: those that it has not itself come from the URLs that the manifest
 * names. No credential goes there, and what comes must have the size and digest described (CVE-2020-15157).
 */
export function withForeignLayers(from: Target): Target {
  const fetch = async (descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> => {
    if (!isForeignLayerType(descriptor.mediaType)) return from.fetch(descriptor, options);
    try {
      return await from.fetch(descriptor, options);
    } catch (error) {
      if (codeOf(error) !== 'NOT_FOUND' || descriptor.urls === undefined || options.offset) throw error;
      return fromUrls(descriptor, descriptor.urls, options);
    }
  };
  return {
    label: from.label,
    fetch,
    exists: (descriptor, options) => from.exists(descriptor, options),
    push: (descriptor, content, options) => from.push(descriptor, content, options),
    resolve: (reference, options) => from.resolve(reference, options),
    tag: (descriptor, reference, options) => from.tag(descriptor, reference, options),
    referrers: (digest, artifactType, options) => from.referrers(digest, artifactType, options),
  };
}

/** URLs that are tried for one layer. */
const mostUrls = 5;

async function fromUrls(layer: Descriptor, urls: readonly string[], { signal }: CallOptions): Promise<Readable> {
  const { discardBody, fetchUrl, redactUrl } = await import('../../registry/index.ts');
  const reasons: string[] = [];
  for (const text of urls.slice(0, mostUrls)) {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      reasons.push(`${JSON.stringify(text.slice(0, 100))} is no http URL`);
      continue;
    }
    url.username = '';
    url.password = '';
    const response = await fetchUrl(url, { signal });
    if (response.status === 200) return pipeline(response.body, verifyStream(layer), () => undefined);
    await discardBody(response);
    reasons.push(`${redactUrl(url)} answers ${response.status}`);
  }
  throw new OciError('NOT_FOUND', `no URL has the foreign layer ${layer.digest}: ${reasons.join('; ')}`);
}
