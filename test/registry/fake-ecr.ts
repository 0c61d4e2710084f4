import { createHash, createHmac, type Hash, type Hmac, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { reply, type ScriptedServer, scriptedServer, type Seen } from './scripted-server.ts';

/** AWS credentials that the fake knows. */
export const awsKey = { accessKeyId: 'AKIDEXAMPLE0000', secretAccessKey: 'wJalrXUtnFEMI/c4n4ry/EXAMPLEKEY' };

/** What the API was asked, and by which signature. */
export interface EcrCall {
  readonly action: string;
  readonly region: string;
  readonly service: string;
  readonly body: unknown;
}

export interface FakeEcr {
  readonly server: ScriptedServer;
  readonly calls: readonly EcrCall[];
  /** Answers calls from now on with an error of ECR. */
  fail(type: string | undefined): void;
}

export interface FakeEcrOptions {
  readonly password?: () => string;
  readonly expiresAt?: () => Date;
}

/**
 * Amazon ECR's API (JSON 1.1): GetAuthorizationToken and CreateRepository of the private and the public service. Who signs
 * wrongly (Signature Version 4, recomputed here by Amazon's own code) is refused, as there.
 */
export async function fakeEcr(options: FakeEcrOptions = {}): Promise<FakeEcr> {
  const calls: EcrCall[] = [];
  const repositories = new Set<string>();
  let failure: string | undefined;
  const password = options.password ?? (() => 'ecr-c4n4ry-password');
  const expiresAt = options.expiresAt ?? (() => new Date(Date.now() + 12 * 3600_000));
  const server = await scriptedServer(async (seen, response) => {
    const json = (status: number, document: unknown) =>
      reply(response, status, { 'content-type': 'application/x-amz-json-1.1' }, JSON.stringify(document));
    const signer = await signerOf(seen, server.host);
    if (signer === undefined) {
      return json(400, { __type: 'InvalidSignatureException', message: 'The request signature does not match' });
    }
    if (failure !== undefined)
      return json(failure === 'ServerException' ? 500 : 400, { __type: failure, message: failure });
    const action = String(seen.headers['x-amz-target'] ?? '');
    const body = JSON.parse(seen.body.toString()) as Record<string, unknown>;
    calls.push({ action, body, ...signer });
    const token = Buffer.from(`AWS:${password()}`).toString('base64');
    const data = { authorizationToken: token, expiresAt: expiresAt().getTime() / 1000 };
    if (action === 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken') {
      const [account = '111122223333'] = (body['registryIds'] as string[] | undefined) ?? [];
      const proxyEndpoint = `https://${account}.dkr.ecr.${signer.region}.amazonaws.com`;
      return json(200, { authorizationData: [{ ...data, proxyEndpoint }] });
    }
    if (action === 'SpencerFrontendService.GetAuthorizationToken') return json(200, { authorizationData: data });
    if (action.endsWith('.CreateRepository')) {
      const name = String(body['repositoryName']);
      if (repositories.has(name)) {
        return json(400, {
          __type: 'RepositoryAlreadyExistsException',
          message: `The repository with name '${name}' already exists`,
        });
      }
      repositories.add(name);
      return json(200, { repository: { repositoryName: name } });
    }
    return json(400, { __type: 'UnknownOperationException' });
  });
  return { server, calls, fail: (type) => void (failure = type) };
}

/** Whose request it is, by its signature; undefined where that is not right. */
async function signerOf(seen: Seen, host: string): Promise<{ region: string; service: string } | undefined> {
  const authorization = String(seen.headers['authorization'] ?? '');
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
  const [, key, , region = '', service = '', signedNames = '', signature = ''] = pattern.exec(authorization) ?? [];
  if (key !== awsKey.accessKeyId) return undefined;
  const names = signedNames.split(';');
  // what is not signed could be changed on the way
  if (!names.includes('host') || !names.includes('x-amz-date')) return undefined;
  const headers = Object.fromEntries(names.map((name) => [name, String(seen.headers[name] ?? '')]));
  const date = String(seen.headers['x-amz-date']);
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const signingDate = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(signingDate.getTime() - Date.now()) < 15 * 60_000)) return undefined;
  const signer = new SignatureV4({ credentials: awsKey, region, service, sha256: Sha256, applyChecksum: false });
  const request = { method: seen.method, protocol: 'http:', hostname: host, path: seen.url, headers, body: seen.body };
  const signed = await signer.sign(request, { signingDate, signableHeaders: new Set(names) });
  const expected = /Signature=([0-9a-f]{64})$/.exec(signed.headers['authorization'] ?? '')?.[1] ?? '';
  const right = expected.length === 64 && timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
  return right ? { region, service } : undefined;
}

/** Node's SHA-256 in the form that Amazon's code asks for. */
class Sha256 {
  #hash: Hash | Hmac;
  readonly #secret: Uint8Array | undefined;

  constructor(secret?: unknown) {
    this.#secret = secret === undefined ? undefined : bytesOf(secret);
    this.#hash = this.#fresh();
  }

  update(data: unknown): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#fresh();
  }

  #fresh(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data as ArrayBuffer);
}
