import { Configuration } from './config/configuration.ts';
import type { Endpoint, Route, SettledEndpoint } from './config/endpoint.ts';
import { showPlace } from './config/place.ts';
import { shortNameRemarks, unknownSettings } from './config/remarks.ts';
import { type CredentialReport, type RegistryReport, reportRoute } from './config/report.ts';
import { parseAddressRule } from './config/resolve-rules.ts';
import { CredentialBook } from './credentials/credential-book.ts';
import { type Credential, userOf } from './credentials/credential.ts';
import { beginDeviceLogin, type DeviceLogin, type DeviceService } from './credentials/device-login.ts';
import { Ecr } from './ecr/ecr.ts';
import type { TraceEvent } from './http/redaction.ts';
import type { CallOptions } from '../oci/index.ts';
import type { RegistryOptions } from './client/connection.ts';
import { authorizationFor, checkLogin, listRepositories } from './client/registry.ts';
import { openSession, type RegistrySession } from './client/session.ts';
import { type RepositoryName, repositoryName } from './client/repository-name.ts';
import { RegistryError } from './error.ts';
import { canonicalHost } from './host.ts';
import { openRepository, type RepositoryTarget } from './client/repository-target.ts';
import type { RegistrySettings } from './settings.ts';

export interface RegistriesOptions {
  readonly trace?: ((event: TraceEvent) => void) | undefined;
  readonly warn?: ((message: string) => void) | undefined;
  /** What the machine's files say; read from where they stand unless given. */
  readonly configuration?: Configuration | undefined;
}

/**
 * All registries as one process sees them under one set of settings: connections, gates of hosts and tokens are shared by
 * every repository that is opened here, and so is what the user's files say of registries (`configuration`). Nothing is sent
 * before the first call of a repository, except to hosts that need not speak TLS: those are asked once whether they do.
 */
export class Registries implements AsyncDisposable {
  readonly settings: RegistrySettings;
  readonly #options: Omit<RegistriesOptions, 'configuration'>;
  readonly configuration: Configuration;
  /** The user's credentials, as the settings say where they are. */
  readonly credentials: CredentialBook;
  readonly #ecr: Ecr;
  readonly #remarked = new Set<string>();
  #session: RegistrySession | undefined;

  constructor(settings: RegistrySettings = {}, { configuration, ...options }: RegistriesOptions = {}) {
    this.settings = settings;
    this.#options = options;
    this.configuration = configuration ?? new Configuration(settings);
    this.#ecr = new Ecr();
    this.credentials = new CredentialBook({
      authFile: settings.authFile,
      // read at the first lookup: a file that is wrong fails what needs it
      helpers: () => this.configuration.registriesConf.credentialHelpers?.values,
      providers: [this.#ecr],
    });
  }

  /**
   * Opens a repository; `push` asks for the right to write from the first request on.
   * @param name a reference, parsed or as text with docker's defaults; its tag and digest do not matter
   * @throws OciError INVALID_REFERENCE; RegistryError CONFIG, BLOCKED
   */
  async open(name: RepositoryName | string, access: 'pull' | 'push' = 'pull'): Promise<RepositoryTarget> {
    const { registry, repository } = repositoryName(name);
    const route = this.#route(registry, repository);
    const isPush = access === 'push';
    return openRepository(name, {
      ...this.connectionOptions(),
      endpoint: await this.#settle(isPush ? route.writes : route.upstream),
      mirrors: isPush ? [] : route.mirrors,
      mirrorTimeout: this.settings.mirrorTimeout,
      locate: (label) => this.#locate(label),
      access,
    });
  }

  #route(host: string, repository: string): Route {
    const route = this.configuration.route(host, repository);
    this.#remark([this.configuration.registriesConf, this.configuration.hostsToml(route.upstream.host)]);
    if (route.blocked === undefined) return route;
    throw new RegistryError('BLOCKED', `${route.name} is blocked by ${showPlace(route.blocked)}`, {
      hint: 'Whoever keeps that file wants nothing to come from there, or to go there.',
    });
  }

  /** A misspelt `blocked` should not go unnoticed; each remark comes once. */
  #remark(files: Parameters<typeof unknownSettings>[0]): void {
    for (const remark of unknownSettings(files)) {
      if (this.#remarked.has(remark)) continue;
      this.#remarked.add(remark);
      this.#options.warn?.(remark);
    }
  }

  #settle(endpoint: Endpoint): Promise<SettledEndpoint> {
    return this.#openSession().schemes.settle(endpoint);
  }

  /**
   * What applies to a registry, or to a repository, and what says so. Nothing is sent; credential programs are asked.
   * @param text a host, such as `quay.io` or `localhost:5000`, or a name, such as `debian`
   * @throws OciError INVALID_REFERENCE; RegistryError CONFIG
   */
  async describe(text: string, { signal }: CallOptions = {}): Promise<RegistryReport> {
    const isHost = looksLikeHost(text);
    const { registry, repository } = isHost ? { registry: canonicalHost(text), repository: '' } : repositoryName(text);
    const { configuration } = this;
    const route = configuration.route(registry, repository);
    const conf = configuration.registriesConf;
    return reportRoute(route, {
      variables: configuration.environment.variables,
      addresses: (this.settings.resolve ?? []).map(parseAddressRule),
      credential: (endpoint, role) => this.#reportCredential(endpoint, role, signal),
      remarks: [
        ...unknownSettings([conf, configuration.hostsToml(route.upstream.host)]),
        ...(isHost ? [] : shortNameRemarks(conf, text)),
      ],
    });
  }

  async #reportCredential(
    { host, repository }: Endpoint,
    role: 'mirror' | 'location',
    signal: AbortSignal | undefined,
  ): Promise<CredentialReport | null> {
    const { credential } = this.settings;
    if (credential === 'anonymous') return null;
    if (credential !== undefined && role === 'location') {
      return { kind: credential.kind, user: userOf(credential) ?? null, from: 'given' };
    }
    const { warn } = this.#options;
    const found = await this.credentials.find({ host, repository, purpose: 'pull' }, { warn, signal });
    if (found === undefined) return null;
    return { kind: found.credential.kind, user: userOf(found.credential) ?? null, from: found.place };
  }

  /** Where a repository stands that is known by its label; undefined for what is no repository. */
  #locate(label: string): Endpoint | undefined {
    const slash = label.indexOf('/');
    if (slash < 0 || label.slice(0, slash).endsWith(':')) return undefined;
    return this.configuration.route(canonicalHost(label.slice(0, slash)), label.slice(slash + 1)).upstream;
  }

  /** How calls go out that are about a registry as a whole. */
  async #optionsFor(host: string): Promise<RegistryOptions> {
    const endpoint = this.configuration.hostEndpoint(canonicalHost(host));
    return { ...this.connectionOptions(), endpoint: await this.#settle(endpoint) };
  }

  #openSession(): RegistrySession {
    this.#session ??= openSession({
      ...this.settings,
      addresses: this.settings.resolve?.map(parseAddressRule),
      variables: this.configuration.environment.variables,
    });
    return this.#session;
  }

  /**
   * Makes what a push needs and the settings ask for: a repository of Amazon ECR that is not there.
   * @returns true where one was made
   * @throws RegistryError CREDENTIALS
   */
  async prepare(name: RepositoryName | string, { signal }: CallOptions = {}): Promise<boolean> {
    if (this.settings.createRepository !== true) return false;
    const { registry, repository } = repositoryName(name);
    return this.#ecr.createRepository(registry, repository, signal);
  }

  /** How every call to a registry goes out, for calls that are about no repository. */
  connectionOptions(): RegistryOptions {
    const { scheme, credential, trustedRealms } = this.settings;
    const { credentials } = this;
    return { ...this.#options, scheme, credential, credentials, trustedRealms, session: this.#openSession() };
  }

  /**
   * The names of all repositories of a registry that lets itself be asked.
   * @throws RegistryError, OciError NOT_FOUND
   */
  async listRepositories(host: string, options: CallOptions = {}): Promise<readonly string[]> {
    return listRepositories(host, { ...(await this.#optionsFor(host)), ...options });
  }

  /**
   * Asks a registry whether it takes a credential, and gives what is to be saved of it.
   * @throws RegistryError UNAUTHORIZED, and others where the registry cannot be asked
   */
  async checkLogin(host: string, credential: Credential, options: CallOptions = {}): Promise<Credential> {
    return checkLogin(host, credential, { ...(await this.#optionsFor(host)), ...options });
  }

  /** Begins a login in the browser. @throws RegistryError where the service does not offer it */
  beginDeviceLogin(options: CallOptions & { readonly service?: DeviceService } = {}): Promise<DeviceLogin> {
    return beginDeviceLogin({ ...options, session: this.connectionOptions().session });
  }

  /**
   * What a request for a repository carries as its Authorization; undefined where the registry wants none. A secret.
   * @throws RegistryError
   */
  async authorization(
    name: RepositoryName,
    access: 'pull' | 'push',
    options: CallOptions = {},
  ): Promise<string | undefined> {
    const route = this.#route(canonicalHost(name.registry), name.repository);
    const endpoint = await this.#settle(access === 'push' ? route.writes : route.upstream);
    return authorizationFor(name, access, { ...this.connectionOptions(), ...options, endpoint });
  }

  /** Ends idle connections; what is under way breaks. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }
}

/** True for what is a registry rather than one of its repositories, where docker's names leave it open. */
function looksLikeHost(text: string): boolean {
  if (text.includes('/')) return false;
  return /^(?:localhost|\[.*\])(?::\d+)?$/.test(text) || /:\d{4,5}$/.test(text) || /^[^:@]*\./.test(text);
}
