export { applyLayer } from './apply/layer-pipe.ts';
export { type CompressedLayer, type Compressing, compressLayer, defaultLevels } from './compression/compress.ts';
export { createDecompressor, detectCompression } from './compression/decompress.ts';
export * from './contract.ts';
export { derivePieces } from './diff/derive.ts';
export { diffLayer, diffStack, diffTree, makeLayer } from './diff/diff.ts';
export type { StackDiffOptions } from './diff/diffed-tree.ts';
export { sameContent } from './diff/same-content.ts';
export { recordStats } from './diff/stats.ts';
export * from './entry.ts';
export * from './error.ts';
export type { LayerChanges, Rewriting, TimeChange } from './rewrite/contract.ts';
export { rewriteLayers } from './rewrite/rewrite.ts';
export { type LayerFacts, LayerSurvey } from './survey.ts';
export { listEntries } from './tar/list.ts';
export { type TarLimits, TarReader, type TarSink } from './tar/reader.ts';
export { encodeHeader, endOfArchive, paddingFor } from './tar/writer.ts';
export {
  type ApplyInWorkerOptions,
  applyInWorker,
  type ChunkSource,
  compressInWorker,
  compressToFile,
  diffStackInWorker,
  makeLayerInWorker,
  packToFile,
  recordStatsInWorker,
  rewriteToFile,
  surveyInWorker,
} from './worker/client.ts';
export type { AppliedBlob, PackedLayer } from './worker/jobs.ts';
export type { CompressibleTar } from './worker/messages.ts';
export { expectLayerWork } from './worker/pool.ts';
