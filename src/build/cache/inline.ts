import type { BuiltImage } from '../outputs/roots.ts';
import type { BuildRequest } from '../request.ts';
import type { BuildCache } from './build-cache.ts';
import { collectDocument } from './collect.ts';
import { inlineDocument, inlineMember } from './document.ts';

interface InlineOptions {
  readonly request: Pick<BuildRequest, 'cache'>;
  readonly cache: BuildCache;
  /** SOURCE_DATE_EPOCH of a reproducible build. */
  readonly epoch: number | undefined;
}

/**
 * The results with the build's cache in a member of their configs, where `--cache-to type=inline` asks for that. A member survives
 * every tool that copies images, and makes the image another one, which is why it has to be asked for.
 */
export function withInlineCache(
  built: readonly BuiltImage[],
  { request, cache, epoch }: InlineOptions,
): readonly BuiltImage[] {
  if (request.cache?.to.some(({ type }) => type === 'inline') !== true) return built;
  const { records, facts } = collectDocument(cache);
  // A reproducible image does not tell when its steps were done.
  const told = epoch === undefined ? records : records.map((record) => ({ ...record, created: undefined }));
  const document = inlineDocument({ records: told, facts });
  return built.map((image) => ({
    ...image,
    config: { ...image.config, extra: { ...image.config.extra, [inlineMember]: document } },
  }));
}
