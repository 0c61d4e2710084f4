export { type ImageConfig, parseImageConfig, parsePlatform, type Platform, type RunConfig } from '../oci/index.ts';
export * from './ast.ts';
export { applyFixes, type AppliedFixes } from './checks/apply-fixes.ts';
export { buildkitRules } from './checks/buildkit-rules.ts';
export { check, checkNeeds, type CheckOptions, type CheckReport } from './checks/check.ts';
export type { Edit, Finding, FindingDraft, Fix } from './checks/finding.ts';
export { maxFindings } from './checks/reporter.ts';
export { ownRules } from './checks/own/own-rules.ts';
export type { Rule } from './checks/rule.ts';
export type { FileRule, Subject, SubjectBase, SubjectCommand, SubjectStage } from './checks/subject.ts';
export * from './contract.ts';
export * from './diagram.ts';
export { isSecretName } from './checks/secret-name.ts';
export { docComment } from './doc-comment.ts';
export * from './dump.ts';
export * from './error.ts';
export * from './excerpt.ts';
export {
  type StageCommand,
  type StageHealthcheckOptions,
  type StageRunOptions,
} from './fluent/commands.ts';
export type { GlobalArgs, StageDefinition, StageValue } from './fluent/definition.ts';
export { type Sources, type StageAddOptions, type StageCopyOptions, type StageWriteOptions } from './fluent/files.ts';
export { type DockerfileText, type Literal, literal } from './fluent/literal.ts';
export {
  bind,
  type BindOptions,
  cache,
  type CacheOptions,
  type CredentialOptions,
  secret,
  type SecretOptions,
  ssh,
  type SshOptions,
  type StageMount,
  tmpfs,
  type TmpfsOptions,
} from './fluent/mounts.ts';
export { type BuildStage, from, type FromOptions, scratch } from './fluent/stage.ts';
export { format } from './format/format.ts';
export { decodePercent, type GitTransport, type GitUrl, parseGitContext, parseGitUrl } from './git-url.ts';
export { createGlobMatcher, hasWildcards } from './glob.ts';
export { type FileMode, type ModeAction, type ModeClause, parseFileMode } from './file-mode.ts';
export * from './graph.ts';
export { parseBoolean } from './instructions/fields.ts';
export * from './ignore.ts';
export type { Command, Stage, Stages } from './instructions/command.ts';
export * from './line-ranges.ts';
export { excerptOf, suggestImage } from './missing-image.ts';
export { outlineOf, type Outline, type OutlineArg, type OutlineCredential } from './outline.ts';
export * from './parse.ts';
export type { Part, Position } from './part.ts';
export * from './platforms.ts';
export * from './print-stages.ts';
export { toStages } from './stages.ts';
export { didYouMean } from './suggest.ts';
export * from './targets.ts';
export { decodeText, encodeText } from './text.ts';
export { contextCopies, type ContextCopy } from './stage-graph/context-copies.ts';
export { needs } from './stage-graph/reach.ts';
export { toGraph } from './stage-graph/to-graph.ts';
