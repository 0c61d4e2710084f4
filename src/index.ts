/** The public library: what `import … from 'slipway'` gives. */
export {
  build,
  BuildError,
  type BuildErrorCode,
  type BuildEvent,
  type BuildOptions,
  type BuildOutput,
  type BuildRequest,
  type BuildResult,
  copyImage,
  type CopyImageOptions,
  describeGraph,
  type DescribeOptions,
  importRootfs,
  type ImportOptions,
  loadImages,
  type LoadOptions,
  type LocalStoreOptions,
  openLocalStore,
  openRegistry,
  type OpenRepository,
  parseOutput,
  pullImage,
  type Pulled,
  type PullOptions,
  pushImage,
  type Pushed,
  type PushOptions,
  readDockerfile,
  type ReadOptions,
  saveImages,
  type SaveOptions,
  storeRoot,
} from './build/index.ts';
export { chooseIsolation, type Isolation, type IsolationChoice, type IsolationReport } from './container/index.ts';
export {
  bind,
  type BuildStage,
  cache,
  type DockerfileText,
  from,
  type FromOptions,
  type Literal,
  literal,
  scratch,
  secret,
  ssh,
  type StageAddOptions,
  type StageCommand,
  type StageCopyOptions,
  type StageHealthcheckOptions,
  type StageMount,
  type StageRunOptions,
  type StageValue,
  type StageWriteOptions,
  tmpfs,
} from './dockerfile/index.ts';
export { isSlipwayError, SlipwayError, UsageError } from './errors.ts';
export {
  type ImageRow,
  type LayerSummary,
  layersOf,
  type LayerTree,
  mergeLayers,
  readLayerTree,
  type TreeRow,
} from './inspect/index.ts';
export * from './oci/index.ts';
export { openRepository, type RepositoryOptions, RepositoryTarget } from './registry/index.ts';
export { type ImageForm, type ImageRecord, openStore, type Store, type StoreOptions } from './store/index.ts';
export { currentPrivileges, enterUserNamespace, type Privileges } from './system/index.ts';
export * from './transports/index.ts';
