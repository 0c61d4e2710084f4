import { messageOf } from '../../errors.ts';
import type { BasicCredential } from '../credentials/credential.ts';
import type { CredentialProvider, CredentialQuery } from '../credentials/lookup.ts';
import { RegistryError } from '../error.ts';
import { type Clock, systemClock } from '../http/clock.ts';
import { rememberSecret } from '../redact.ts';
import type { EcrApi } from './ecr-api.ts';
import { type EcrHost, ecrHost } from './ecr-host.ts';
import { type DatedToken, readToken, tokenFolder, tokenPath, writeToken } from './token-file.ts';

export interface EcrOptions {
  readonly clock?: Clock | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/** What says that AWS credentials were set up on purpose, without asking anybody on the network for them. */
const signsOfCredentials = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/**
 * Amazon ECR for one process: passwords for its registries made of AWS credentials, renewed at half of their life, kept
 * for the next command; and repositories made before a push. The SDK is loaded with the first host that is ECR's.
 */
export class Ecr implements CredentialProvider {
  readonly name = 'Amazon ECR';
  readonly #clock: Clock;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #tokens = new Map<string, Promise<DatedToken>>();

  constructor(options: EcrOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#environment = options.environment ?? process.env;
  }

  /**
   * The password for a host of ECR; undefined for other hosts, and for public images where no AWS credentials are set up.
   * @throws RegistryError CREDENTIALS
   */
  readonly find = async (query: CredentialQuery, signal?: AbortSignal): Promise<BasicCredential | undefined> => {
    const host = ecrHost(query.host);
    if (host === undefined) return undefined;
    if (host.kind === 'public' && query.purpose === 'pull' && !this.#mayHaveCredentials()) return undefined;
    const key = query.host.toLowerCase();
    let token = await this.#tokens.get(key)?.catch(() => undefined);
    if (token === undefined || this.#isOld(token)) {
      const asked = this.#ask(key, host, signal);
      this.#tokens.set(key, asked);
      token = await asked;
    }
    return { kind: 'basic', username: token.username, password: token.password };
  };

  /**
   * Makes a repository of ECR unless it is there; nothing for registries of others.
   * @returns true where it was made
   * @throws RegistryError
   */
  async createRepository(registry: string, repository: string, signal?: AbortSignal): Promise<boolean> {
    const host = ecrHost(registry);
    if (host === undefined) return false;
    using api = await openApi(host);
    try {
      return await api.createRepository(repository, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw failed(`cannot create the repository ${registry}/${repository}`, error);
    }
  }

  async #ask(key: string, host: EcrHost, signal: AbortSignal | undefined): Promise<DatedToken> {
    using api = await openApi(host);
    const folder = tokenFolder(this.#environment);
    let kept: DatedToken | undefined;
    try {
      const path = folder && tokenPath(folder, key, await api.identity());
      kept = path === undefined ? undefined : await readToken(path);
      if (kept !== undefined && !this.#isOld(kept)) return kept;
      const token = { ...(await api.token(signal)), askedAt: this.#clock.now() };
      rememberSecret(token.password);
      if (folder !== undefined && path !== undefined) await writeToken(folder, path, token);
      return token;
    } catch (error) {
      signal?.throwIfAborted();
      // its second half is for this: the service may be away for a while
      if (kept !== undefined && kept.expiresAt > this.#clock.now()) return kept;
      throw failed(`no password for ${key} from Amazon ECR`, error);
    }
  }

  #isOld({ askedAt, expiresAt }: DatedToken): boolean {
    const now = this.#clock.now();
    return now < askedAt || now > askedAt + (expiresAt - askedAt) / 2;
  }

  #mayHaveCredentials(): boolean {
    return signsOfCredentials.some((name) => this.#environment[name]);
  }
}

async function openApi(host: EcrHost): Promise<EcrApi> {
  const { openEcrApi } = await import('./ecr-api.ts');
  return openEcrApi(host);
}

function failed(what: string, cause: unknown): RegistryError {
  const name = cause instanceof Error ? cause.name : '';
  const hints: Readonly<Record<string, string>> = {
    CredentialsProviderError:
      'Set up AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role.',
    ExpiredTokenException: 'The AWS session has ended; sign in to AWS again.',
    AccessDeniedException: 'The role or user lacks the permission that the message names.',
    UnrecognizedClientException: 'The AWS access key is not known; is it for the partition of this registry?',
  };
  return new RegistryError('CREDENTIALS', `${what}: ${messageOf(cause)}`, { cause, hint: hints[name] });
}
