export * from './copy-events.ts';
export * from './copy-graph.ts';
export type { CopyOptions } from './copy-options.ts';
export { attestedDigest, restrictPlatforms } from './copy-platforms.ts';
export type { MountOrigins } from './copy-transfer.ts';
export * from './descriptor.ts';
export * from './digest.ts';
export * from './docker-units.ts';
export * from './document-format.ts';
export * from './error.ts';
export * from './history.ts';
export * from './image-config.ts';
export {
  compact,
  isObject,
  type JsonObject,
  maxDocumentSize,
  Members,
  parseJsonObject,
  sortedMap,
  toJsonBytes,
} from './json.ts';
export * from './manifest.ts';
export * from './media-types.ts';
export * from './parse-config.ts';
export * from './parse-manifest.ts';
export * from './platform.ts';
export * from './platform-match.ts';
export * from './read-content.ts';
export * from './reference.ts';
export * from './referrer.ts';
export * from './semaphore.ts';
export * from './serialize.ts';
export * from './serialize-config.ts';
export * from './target.ts';
export * from './verify-stream.ts';
