export { NetworkNamespace, WitnessedNamespace } from './network-namespace.ts';
export { ContentCopier, type CopyWay } from './copy-content.ts';
export { currentPrivileges } from './current-privileges.ts';
export { splitDevice } from './device-number.ts';
export * from './error.ts';
export { FileStats, statIn } from './file-stats.ts';
export { closeIn, openIn } from './folder-files.ts';
export { findExecutable, requireExecutable } from './find-executable.ts';
export {
  type MakeDirsOptions,
  makeDirsInRoot,
  type OpenInRootOptions,
  openInRoot,
  type PlaceInRoot,
  type ResolveInRootOptions,
  readFileInRoot,
  resolveInRoot,
} from './in-root.ts';
export { loadSyscalls } from './load-syscalls.ts';
export { limitMemoryArenas } from './memory-arenas.ts';
export { flagsOfOptions } from './mount-options.ts';
export { mountRoot, unmountRoot } from './mount-root.ts';
export { isNetworkFileSystem, tellsEveryChange } from './network-file-system.ts';
export { withParentDeath } from './parent-death.ts';
export { enterPrivateMounts } from './private-mounts.ts';
export { PrivateTmpfs, type PrivateTmpfsOptions } from './private-tmpfs.ts';
export * from './privileges.ts';
export { probeOverlay } from './probe-overlay.ts';
export { ProcessLock } from './process-lock.ts';
export { bootId, ownProcessRecord, type ProcessRecord, processStartTime } from './process-record.ts';
export * from './root-mount.ts';
export { reasonOf } from './reason-of.ts';
export { hideSecrets, redactText, redactUrl, rememberSecret } from './redact.ts';
export { type FileContent, putFile, type PutFileOptions } from './put-file.ts';
export { replaceFile } from './replace-file.ts';
export { minimalEnvironment, minimalEnvironmentTexts, type RunCommandOptions, type RunResult, run } from './run.ts';
export {
  closeOutputPipe,
  openOutputPipe,
  type OutputPipe,
  type ProcessEnd,
  type StartedProcess,
  type StartOptions,
  startDetached,
  startProcess,
} from './start-process.ts';
export { syncFolder } from './sync-folder.ts';
export * from './syscalls.ts';
export { enterUserNamespace, type ProcessExit, type UserNamespaceOptions } from './user-namespace.ts';
export { chunkPassed } from './young-memory.ts';
export { writeFully } from './write-fully.ts';
export { type WorkerName, workerEntry } from './worker-entry.ts';
