export {
  type ArtifactContent,
  type ArtifactFile,
  attachArtifact,
  type AttachOptions,
  pushArtifact,
  type PushArtifactOptions,
} from './artifact.ts';
export { pullArtifact, type PullArtifactOptions, type PulledArtifact, type PulledFile } from './pull.ts';
export { artifactTree, type ArtifactTree, listReferrers, type Referrers, type ReferrersOptions } from './referrers.ts';
