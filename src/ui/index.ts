export { type PruneFilter, pruneFilter } from './prune-filter.ts';
export { besideShell } from './build-flags/on-error.ts';
export { writeWholeFile } from './whole-file.ts';
export { lockChangeLines } from './lock-changes.ts';
export { requestFlags, requestOf, requestValues, type RequestValues } from './build-flags/request.ts';
export { contextFlags, contextOf } from './build-flags/context.ts';
export { mountFlags, mountsRequest } from './build-flags/mounts.ts';
export { type SolvingFlags, solvingFlags, solvingOf } from './build-flags/solving.ts';
export { answer, type AnswerOptions } from './answer.ts';
export { confinementFlags, confinementOf, parseEntitlements } from './build-flags/confinement.ts';
export { type BuildInfo, readBuildInfo } from './build-info.ts';
export { type Style, paint } from './colour.ts';
export { buildProgress, progressFlags, type ProgressValues } from './build-flags/progress.ts';
export { buildColumns, buildFilter, buildHeads, buildName, buildRow } from './builds/build-rows.ts';
export { buildText } from './builds/build-text.ts';
export { replay, type ReplayOptions } from './builds/replay.ts';
export { Command } from './command.ts';
export { defaultDockerfile } from './dockerfile-path.ts';
export { drained } from './drained.ts';
export { whyLines } from './why.ts';
export { UiError, type UiErrorCode } from './error.ts';
export { escapeControls, escapeControlsInLines, keepColours, stripControls } from './escape.ts';
export {
  digestFileFlag,
  forceFlag,
  formatFlag,
  isolationFlag,
  jsonFlag,
  listFlag,
  listFormatFlag,
  noTruncFlag,
  outputFlag,
  platformFlag,
  quietFlag,
} from './flags.ts';
export { type CheckedFile, type FindingsFormat, findingsFormats } from './findings/checked-file.ts';
export { formatFindings } from './findings/format-findings.ts';
export { formatMode } from './file-mode.ts';
export { registryReportText } from './registry-report.ts';
export { registryFlags, registrySettings, type RegistryValues } from './registry-flags/registry.ts';
export { givenPassword, signIn, type SignedIn, type SignInOptions, type SignInRequest } from './sign-in.ts';
export { toJson } from './json.ts';
export { shortId } from './id.ts';
export { outputFlags, outputRequest, type OutputValues } from './build-flags/outputs.ts';
export { metadataOf, writeBakeMetadata, writeResultFiles } from './result-files.ts';
export { type Inquiry, inquiryFlags, inquiryOf, type InquiryValues } from './inquiry.ts';
export { interruptExitCode, interruptSignal } from './interrupt.ts';
export { formatList, type ListOptions, type Row } from './list.ts';
export { formatOutline } from './outline.ts';
export { formatTargets } from './targets.ts';
export { type ArgDefinition, type CommandSyntax, type ParsedLine, parseLine } from './parse-flags.ts';
export { type ReportOptions, reportError } from './report-error.ts';
export { formatBinarySize, formatSize } from '../oci/index.ts';
export { isLoopback, listenFlags, type ListenSettings, listenSettings } from './registry-server/listen.ts';
export { accessLogFlag, ruleFlags, serverRules } from './registry-server/rules.ts';
export { openStorage, storageFlags } from './registry-server/storage.ts';
export { openService, serviceFlags } from './registry-server/server-options.ts';
export { serverTls, type TlsValues } from './registry-server/tls.ts';
export { parseSize } from './size.ts';
export { alignTabs, formatTable } from './table.ts';
export { compileTemplate, type Template, type TemplateOptions } from './template/render.ts';
export type { Value } from './template/value.ts';
export { formatElapsed, formatGoTime, humanDuration, parseDuration, timeAgo } from './time.ts';
export { parsePlatforms, platformsFlag } from './platforms.ts';
export { type CopyDirection, type CopyProgress, copyProgress } from './progress/copy.ts';
export { canDraw, chooseProgress, progressFor } from './progress/progress-for.ts';
export { whileShown } from './progress/while-shown.ts';
export type { ProgressKind, ProgressOptions, ProgressRenderer, ProgressStream } from './progress/types.ts';
export { ask, askPassword, confirm, type PromptOptions } from './prompt.ts';
export { checkLevel, type OutputFormValues, outputFormFlags, toImageForm } from './image-flags.ts';
export { cacheMountFilter } from './cache-mount-filter.ts';
export { type ImageFilter, imageFilter } from './image-filter.ts';
export { ImageCommand, imageFlags, imageNamesHelp } from './image-command.ts';
export { imageHistory } from './image-history.ts';
export { inspectImage } from './image-inspect.ts';
export { namedValues } from './named-values.ts';
export { readSmallFile } from './read-small-file.ts';
export { withProgress } from './progress/with-progress.ts';
export { readStandardInput } from './read-standard-input.ts';
export { rewriteFile } from './rewrite-file.ts';
export { PlaceCommand, placesHelp } from './place-command.ts';
export { artifactContent, artifactFlags, artifactTypeFlag } from './artifact-flags.ts';
export { artifactTreeLines } from './artifact-tree.ts';
export { EditCommand } from './edit-command.ts';
export { mutateFlags, mutation } from './mutate-flags.ts';
export { commandWords, editFlags, editPlatformFlag, epochOf, timeChange } from './edit-flags.ts';
export { noSuchImage, requireImage, StoreCommand } from './store-command.ts';
export { clip, displayWidth, fit } from './width.ts';
export { criticalPath, type PathStep } from './timeline/critical-path.ts';
export { timelineFile } from './timeline/timeline-file.ts';
export { timelinePage } from './timeline/page.ts';
export { type Timeline, TimelineRecorder, type TimelineStep } from './timeline/timeline.ts';
export { unifiedDiff } from './unified-diff.ts';
export { bakeTargets } from './bake/bake-targets.ts';
export { type Allowed, checkAllowed, parseAllowed } from './bake/entitlements.ts';
export { bakeFlags, filesOf, listingOf, overridesOf, variablesOf } from './bake/flags.ts';
export { worksOf } from './bake/jobs.ts';
export { listDefinition } from './bake/list.ts';
export { refuseRemote, withEpoch, writtenPaths } from './bake/selection.ts';
