export * from './artifacts/index.ts';
export {
  bake,
  type BakeJob,
  type BakeResults,
  type Definition as BakeDefinition,
  isRemote,
  type ListedTarget,
  listTargets,
  loadDefinition,
  type LoadDefinitionOptions,
  lookupIn,
  printable,
  printTarget,
  type Selection as BakeSelection,
  selectTargets,
  type Target as BakeTarget,
  type VariableInfo,
} from './bake/index.ts';
export { build, type BuildOptions, type BuildResult } from './build.ts';
export { parseCacheFrom, parseCacheTo } from './cache/parse-cache.ts';
export type { CacheExport, CacheMode, CachePlace, CacheRequest } from './cache/request.ts';
export type { ContextModes } from './copy/tree.ts';
export * from './edit/index.ts';
export { BuildError, type BuildErrorCode } from './error.ts';
export type { BuildEvent, BuildNote, MissReason, OnBuildEvent, PlannedStep } from './events.ts';
export type { OnError, OnShell } from './failed-step/contract.ts';
export { enterStep, type EnterOptions } from './failed-step/enter.ts';
export { type KeptStep, keptStep, keptSteps } from './failed-step/kept-steps.ts';
export { BuildHistory, type RecordedEvent, buildStateOf } from './history/history.ts';
export type { KnownSecrets } from './history/record-build.ts';
export { secretMask } from './history/redactor.ts';
export type { BuildRecord, BuildState, RecordedStep, RequestSummary } from './history/record.ts';
export { type LoadedImage, loadImages, type LoadOptions, saveImages, type SaveOptions } from './images/archive.ts';
export type { ImageConversion } from './images/convert/contract.ts';
export { type CopiedImage, type CopiedTag, copyAllTags, copyImage, type CopyImageOptions } from './images/copy.ts';
export { importRootfs, type ImportOptions } from './images/import.ts';
export type {
  ImageDestination,
  ImagePlace,
  OpenRegistryRepository,
  PlaceOptions,
  ReceiveOptions,
} from './images/image-place.ts';
export { blobDigest, type ByteRange, describeBlob, readBlob, removeBlob } from './images/blobs.ts';
export { putBlob, type PutBlobOptions, putManifest, type PutManifestOptions } from './images/put.ts';
export { listTags } from './images/list-tags.ts';
export { findImage, type FindOptions, type FoundImage } from './images/find-image.ts';
export { openDestination } from './images/open-destination.ts';
export { openForRemoval, openPlace } from './images/open-place.ts';
export { type ImageView, viewImage, type ViewOptions } from './images/view-image.ts';
export { pullAllTags, type Pulled, pullImage, type PullOptions } from './images/pull.ts';
export { type Pushed, pushImage, type PushOptions } from './images/push.ts';
export { removeManifest, type RemoveManifestOptions, removeTag } from './images/remove.ts';
export { importImage, type OpenRepository, type ResolvedImage, resolveImage } from './images/resolve.ts';
export { takeImage, type TakenImage, type TakeOptions } from './images/take.ts';
export { annotateIndex, type EntryChanges } from './indexes/annotate-index.ts';
export { createIndex, type CreateIndexOptions, type IndexSource } from './indexes/create-index.ts';
export type { Joined, JoinedEntry } from './indexes/join.ts';
export { type LocalStoreOptions, openLocalStore, openRegistry, storeRoot } from './local-store.ts';
export { type Lock, lockBuild, type LockOptions } from './lock/lock-build.ts';
export type { Pin, PinChange } from './lock/lock-file.ts';
export { exportCacheMounts, type ExportCacheMountsOptions, type ExportReport } from './mounts/cache-archive/export.ts';
export { importCacheMounts, type ImportCacheMountsOptions, type ImportReport } from './mounts/cache-archive/import.ts';
export type { MountsRequest } from './mounts/request.ts';
export { parseSecret, type SecretRequest, type SecretSource } from './mounts/secret-request.ts';
export { parseSsh, type SshRequest } from './mounts/ssh/request.ts';
export { parseAnnotation } from './outputs/annotations.ts';
export type { BuildMetadata } from './outputs/metadata.ts';
export type {
  Annotation,
  AnnotationPlace,
  ArchiveOutput,
  BuildOutput,
  ImageOutput,
  OutputForm,
  TreeOutput,
} from './outputs/output.ts';
export { parseOutput } from './outputs/parse-output.ts';
export {
  type CheckedDockerfile,
  checkDockerfile,
  type CheckRequest,
  mendDockerfile,
  type MendedDockerfile,
} from './plan/check-dockerfile.ts';
export {
  checkBuild,
  describeGraph,
  describeOutline,
  type DescribeOptions,
  readDockerfile,
  type ReadOptions,
} from './plan/describe.ts';
export type { PolicyRequest } from './policy/open-policy.ts';
export { machinePaths } from './machine-paths.ts';
export type { BuildRequest } from './request.ts';
export { type ConfinementRequest, type Entitlement, entitlements } from './run/confinement.ts';
export { type Remembered, rememberBuild, type RememberedStep, stepsMeant } from './solve/why.ts';
export { offerThread } from './workshop/first-thread.ts';
export type { Finding, FindingCode, ValidationReport } from './validate/report.ts';
export { validate, type ValidateOptions } from './validate/validate.ts';
export { type Parallelism, parallelismOf, Workshop } from './workshop/workshop.ts';
export {
  type Limits,
  type NetworkMode,
  parseSeccompProfile,
  type Ulimit,
  type UlimitName,
  ulimitNumbers,
} from '../container/index.ts';
export * from './sync/index.ts';
