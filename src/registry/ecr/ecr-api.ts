import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import {
  CreateRepositoryCommand as CreatePublicRepositoryCommand,
  ECRPUBLICClient,
  GetAuthorizationTokenCommand as GetPublicAuthorizationTokenCommand,
} from '@aws-sdk/client-ecr-public';
import type { EcrHost, EcrPrivate } from './ecr-host.ts';

/** A password for a registry, and how long it holds. */
export interface EcrToken {
  readonly username: string;
  readonly password: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What of ECR's API registries need; made for one host. */
export interface EcrApi extends Disposable {
  /** Whose credentials are used: an access key's id, which is no secret. */
  identity(): Promise<string>;
  token(signal?: AbortSignal): Promise<EcrToken>;
  /** False where it was there. */
  createRepository(name: string, signal?: AbortSignal): Promise<boolean>;
}

const attempts = 3;
const exists = 'RepositoryAlreadyExistsException';
/** What a token of unknown life is good for; milliseconds. */
const usualLife = 12 * 3600_000;

/**
 * Opens ECR's API for a host, with credentials from wherever AWS keeps them (environment, profiles, SSO, web identity,
 * containers, instances), through the proxies that the environment names. An endpoint of the environment
 * (`AWS_ENDPOINT_URL_ECR`) replaces Amazon's.
 */
export function openEcrApi(host: EcrHost): EcrApi {
  const settings = {
    region: host.region,
    maxAttempts: attempts,
    requestHandler: {
      httpAgent: new HttpAgent({ proxyEnv: process.env }),
      httpsAgent: new HttpsAgent({ proxyEnv: process.env }),
      connectionTimeout: 10_000,
      requestTimeout: 30_000,
    },
  };
  return host.kind === 'private'
    ? new PrivateApi(host, new ECRClient({ ...settings, useFipsEndpoint: host.fips }))
    : new PublicApi(new ECRPUBLICClient(settings));
}

class PrivateApi implements EcrApi {
  readonly #host: EcrPrivate;
  readonly #client: ECRClient;

  constructor(host: EcrPrivate, client: ECRClient) {
    this.#host = host;
    this.#client = client;
  }

  async identity(): Promise<string> {
    return (await this.#client.config.credentials()).accessKeyId;
  }

  async token(signal?: AbortSignal): Promise<EcrToken> {
    const command = new GetAuthorizationTokenCommand({ registryIds: [this.#host.account] });
    const { authorizationData } = await this.#client.send(command, abortedBy(signal));
    return tokenOf(authorizationData?.[0]);
  }

  createRepository(name: string, signal?: AbortSignal): Promise<boolean> {
    const command = new CreateRepositoryCommand({ registryId: this.#host.account, repositoryName: name });
    return unlessThere(this.#client.send(command, abortedBy(signal)));
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }
}

class PublicApi implements EcrApi {
  readonly #client: ECRPUBLICClient;

  constructor(client: ECRPUBLICClient) {
    this.#client = client;
  }

  async identity(): Promise<string> {
    return (await this.#client.config.credentials()).accessKeyId;
  }

  async token(signal?: AbortSignal): Promise<EcrToken> {
    const { authorizationData } = await this.#client.send(
      new GetPublicAuthorizationTokenCommand({}),
      abortedBy(signal),
    );
    return tokenOf(authorizationData);
  }

  createRepository(name: string, signal?: AbortSignal): Promise<boolean> {
    // `alias/name`: the alias is the registry, and whose credentials these are decides which one
    const repositoryName = name.slice(name.indexOf('/') + 1);
    return unlessThere(this.#client.send(new CreatePublicRepositoryCommand({ repositoryName }), abortedBy(signal)));
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }
}

function abortedBy(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

async function unlessThere(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === exists) return false;
    throw error;
  }
}

interface AuthorizationData {
  readonly authorizationToken?: string | undefined;
  readonly expiresAt?: Date | undefined;
}

function tokenOf(data: AuthorizationData | undefined): EcrToken {
  const text = Buffer.from(data?.authorizationToken ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) throw new Error('the answer has no authorization token');
  const expiresAt = data?.expiresAt?.getTime() ?? Date.now() + usualLife;
  return { username: text.slice(0, colon), password: text.slice(colon + 1), expiresAt };
}
