export { type Credential, type BasicCredential, userOf } from './credentials/credential.ts';
export { CredentialBook, type CredentialBookOptions } from './credentials/credential-book.ts';
export {
  type CredentialProvider,
  type CredentialQuery,
  findCredential,
  type FoundCredential,
  type LookupOptions,
} from './credentials/lookup.ts';
export {
  beginDeviceLogin,
  type DeviceLogin,
  type DeviceService,
  hubDeviceService,
} from './credentials/device-login.ts';
export { programReply, type ProgramReply, serveProgram } from './credentials/serve-program.ts';
export { eraseCredential, type SavedCredential, saveCredential, type SaveOptions } from './credentials/save.ts';
export { type CredentialEnvironment, processEnvironment } from './credentials/sources.ts';
export type { RegistryOptions } from './client/connection.ts';
export { checkLogin, listRepositories } from './client/registry.ts';
export type { RateLimit } from './client/rate-limit.ts';
export type { RepositoryName } from './client/repository-name.ts';
export { openRepository, RepositoryTarget, type RepositoryOptions } from './client/repository-target.ts';
export { Registries, type RegistriesOptions } from './registries.ts';
export type { RegistrySettings } from './settings.ts';
export { Configuration } from './config/configuration.ts';
export type { ConfigEnvironment } from './config/environment.ts';
export type { CredentialReport, MirrorReport, RegistryReport, ServerReport } from './config/report.ts';
export { openSession, type RegistrySession, type SessionOptions } from './client/session.ts';
export { Ecr, type EcrOptions } from './ecr/ecr.ts';
export { type EcrHost, ecrHost } from './ecr/ecr-host.ts';
export { RegistryError, type RegistryErrorCode } from './error.ts';
export { canonicalHost, serverHost } from './host.ts';
export { fetchUrl, type FetchUrlOptions } from './http/fetch-url.ts';
export { header, type HttpResponse } from './http/dispatch.ts';
export { discard as discardBody } from './http/body.ts';
export type { TraceEvent } from './http/redaction.ts';
export { redactHeaders, redactText, redactUrl, rememberSecret } from './redact.ts';
export {
  type CollectedContent,
  type CollectedGarbage,
  collectGarbage,
  type CollectOptions,
} from './server/storage/collect-garbage.ts';
export { type DiskStorage, type DiskStorageOptions, openDiskStorage } from './server/storage/disk-storage.ts';
export { type MemoryStorageOptions, openMemoryStorage } from './server/storage/memory-storage.ts';
export type { Endpoint, AccessAction, RouteName } from './server/endpoints.ts';
export type { ServerLayer, Visit } from './server/pipeline.ts';
export { ProtocolError, type ProtocolErrorCode } from './server/protocol-error.ts';
export type { DeletionRules, RegistryRules } from './server/rules.ts';
export { accessLogLine, type AccessLogFormat } from './server/access-log.ts';
export type { ServedRequest } from './server/layers/hear-requests.ts';
export type { UploadLimits } from './server/upload-sessions.ts';
export type { QuotaSettings } from './server/quotas.ts';
export {
  type Access,
  anyUser,
  basicAuth,
  type BasicAuthOptions,
  openHtpasswd,
  openTokenSigner,
  ownTokenAuth,
  type OwnTokenAuthOptions,
  parseAccessList,
  parseTrustedKeys,
  plainAccess,
  readAccessList,
  tokenAuth,
  type TokenAuthOptions,
  type TokenKey,
  type TokenSigner,
  type TrustedKeys,
  type Users,
} from './server/auth/index.ts';
export {
  type EcrProfileOptions,
  type HubProfileOptions,
  openProfile,
  type Profile,
  type ProfileName,
  type ProfileOptions,
} from './server/profiles/index.ts';
export { openPullThrough, type PullThrough, type PullThroughOptions } from './server/pull-through/index.ts';
export type { ServerTls } from './server/listener.ts';
export { type RegistryServer, type RegistryServerOptions, startRegistry } from './server/start.ts';
export {
  FaultPlan,
  type FaultPlanOptions,
  type FaultRule,
  type InflictedFault,
  parseFaults,
  readFaults,
  type RequestFilter,
} from './server/faults/index.ts';
export type { RegistryStorage, RepositoryStorage } from './server/storage/storage.ts';
