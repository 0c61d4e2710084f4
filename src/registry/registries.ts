import { CredentialBook } from './credentials/credential-book.ts';
import type { Credential } from './credentials/credential.ts';
import { beginDeviceLogin, type DeviceLogin, type DeviceService } from './credentials/device-login.ts';
import { Ecr } from './ecr/ecr.ts';
import type { TraceEvent } from './http/redaction.ts';
import type { CallOptions } from '../oci/index.ts';
import type { RegistryOptions } from './client/connection.ts';
import { authorizationFor, checkLogin, listRepositories } from './client/registry.ts';
import { openSession, type RegistrySession } from './client/session.ts';
import { type RepositoryName, repositoryName } from './client/repository-name.ts';
import { openRepository, type RepositoryTarget } from './client/repository-target.ts';
import type { RegistrySettings } from './settings.ts';

export interface RegistriesOptions {
  readonly trace?: ((event: TraceEvent) => void) | undefined;
  readonly warn?: ((message: string) => void) | undefined;
}

/**
 * All registries as one process sees them under one set of settings: connections, gates of hosts and tokens are shared by
 * every repository that is opened here. Nothing is sent before the first call of a repository.
 */
export class Registries implements AsyncDisposable {
  readonly settings: RegistrySettings;
  readonly #options: RegistriesOptions;
  /** The user's credentials, as the settings say where they are. */
  readonly credentials: CredentialBook;
  readonly #ecr: Ecr;
  #session: RegistrySession | undefined;

  constructor(settings: RegistrySettings = {}, options: RegistriesOptions = {}) {
    this.settings = settings;
    this.#options = options;
    this.#ecr = new Ecr();
    this.credentials = new CredentialBook({ authFile: settings.authFile, providers: [this.#ecr] });
  }

  /**
   * Opens a repository; `push` asks for the right to write from the first request on.
   * @param name a reference, parsed or as text with docker's defaults; its tag and digest do not matter
   * @throws OciError INVALID_REFERENCE
   */
  open(name: RepositoryName | string, access: 'pull' | 'push' = 'pull'): RepositoryTarget {
    return openRepository(name, { ...this.connectionOptions(), access });
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
    const { scheme, credential, trustedRealms, authFile: _, createRepository: __, ...numbers } = this.settings;
    const { credentials } = this;
    this.#session ??= openSession(numbers);
    return { ...this.#options, scheme, credential, credentials, trustedRealms, session: this.#session };
  }

  /**
   * The names of all repositories of a registry that lets itself be asked.
   * @throws RegistryError, OciError NOT_FOUND
   */
  listRepositories(host: string, options: CallOptions = {}): Promise<readonly string[]> {
    return listRepositories(host, { ...this.connectionOptions(), ...options });
  }

  /**
   * Asks a registry whether it takes a credential, and gives what is to be saved of it.
   * @throws RegistryError UNAUTHORIZED, and others where the registry cannot be asked
   */
  checkLogin(host: string, credential: Credential, options: CallOptions = {}): Promise<Credential> {
    return checkLogin(host, credential, { ...this.connectionOptions(), ...options });
  }

  /** Begins a login in the browser. @throws RegistryError where the service does not offer it */
  beginDeviceLogin(options: CallOptions & { readonly service?: DeviceService } = {}): Promise<DeviceLogin> {
    return beginDeviceLogin({ ...options, session: this.connectionOptions().session });
  }

  /**
   * What a request for a repository carries as its Authorization; undefined where the registry wants none. A secret.
   * @throws RegistryError
   */
  authorization(name: RepositoryName, access: 'pull' | 'push', options: CallOptions = {}): Promise<string | undefined> {
    return authorizationFor(name, access, { ...this.connectionOptions(), ...options });
  }

  /** Ends idle connections; what is under way breaks. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }
}
