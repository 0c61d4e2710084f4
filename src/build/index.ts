export { build, type BuildOptions, type BuildResult } from './build.ts';
export { BuildError, type BuildErrorCode } from './error.ts';
export type { BuildEvent, OnBuildEvent } from './events.ts';
export { type Pulled, pullImage, type PullOptions } from './images/pull.ts';
export { type Pushed, pushImage, type PushOptions } from './images/push.ts';
export { importImage, type OpenRepository, type ResolvedImage, resolveImage } from './images/resolve.ts';
export { type LocalStoreOptions, openLocalStore, openRegistry, storeRoot } from './local-store.ts';
export { parseOutput } from './parse-output.ts';
export type { BuildOutput, BuildRequest, OutputForm } from './request.ts';
