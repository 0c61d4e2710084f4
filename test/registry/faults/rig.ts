import { randomBytes } from 'node:crypto';
import { isSlipwayError } from '../../../src/errors.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  copyGraph,
  describe as describeContent,
  type Descriptor,
  digestOf,
  type Manifest,
  mediaTypes,
  fetchBytes,
  serializeManifest,
  type Target,
} from '../../../src/oci/index.ts';
import {
  type Credential,
  FaultPlan,
  openDiskStorage,
  openRepository,
  openSession,
  parseFaults,
  type RegistryOptions,
  type RequestFilter,
  type RepositoryTarget,
  type SessionOptions,
  startRegistry,
} from '../../../src/registry/index.ts';
import type { ServerLayer } from '../../../src/registry/server/pipeline.ts';
import { MemoryTarget } from '../../../src/transports/index.ts';
import { quickClock } from '../embedded.ts';
import { tokenLayer, type TokenServer, tokenServer, type TokenServerOptions } from '../token-server.ts';

export type Rule = Readonly<Record<string, unknown>>;

/** Where the servers of one case are, for faults that name them. */
export interface Places {
  /** Another origin that serves the same content, and asks nobody who they are. */
  readonly elsewhere: string;
  readonly realm: string;
}

/** One fault and what is there to have it. */
export interface Injection {
  readonly faults?: readonly Rule[] | ((places: Places) => readonly Rule[]);
  /** Of a proxy before the registry, which may spoil what is spoilt. */
  readonly proxy?: readonly Rule[];
  readonly elsewhere?: readonly Rule[];
  readonly tokens?: readonly Rule[];
  /** How the registry asks who one is; by tokens unless given. */
  readonly auth?: 'token' | 'basic' | 'none';
  readonly tokenServer?: TokenServerOptions;
  /** What a pull asks for; the tag unless given. */
  readonly reference?: string;
  /** A pull finds its digest by HEAD before it reads the manifest. */
  readonly byHead?: boolean;
  readonly options?: RegistryOptions;
  readonly session?: SessionOptions;
}

export interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** What came of a case. */
export interface Outcome {
  /** The code of the error below the copy's own, and all messages; undefined where all went well. */
  readonly failure: { readonly code: string; readonly text: string } | undefined;
  /** What is wrong with the image where it was to go. */
  readonly wrong: readonly string[];
  readonly requests: readonly Recorded[];
  readonly elsewhere: readonly Recorded[];
  readonly tokenRequests: readonly Recorded[];
  /** Waits between tries, in milliseconds; none of them took time. */
  readonly slept: readonly number[];
  readonly warnings: readonly string[];
}

/** One case: its row in the table of faults that the suite follows (`+` for its further cases), what is injected, how, and what else must be seen. */
export type Row = readonly [row: string, injected: string, Injection, ((outcome: Outcome) => void)?];

/** A jest table has equally many cells in each row. */
export function complete(rows: readonly Row[]) {
  return rows.map(([row, injected, injection, check = () => {}]) => [row, injected, injection, check] as const);
}

export const password = 'p4ssw0rd-c4n4ry';
export const credential: Credential = { kind: 'basic', username: 'me', password };
/** A case that takes longer hangs; milliseconds. Its timeouts are a fraction of a second. */
const longest = 12_000;
const timeouts = { headersTimeout: 600, stallTimeout: 600, connectTimeout: 2000 };

export const MiB = 1024 * 1024;
const large = randomBytes(8 * MiB);
/** A layer as most are: compressed, so that a proxy's label may be true of it and wrong of the transfer. */
const little = gzipSync(randomBytes(300_000));
const config = Buffer.from(
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(large), digestOf(little)] },
  }),
);
const manifest: Manifest = {
  kind: 'manifest',
  mediaType: mediaTypes.ociManifest,
  config: describeContent(mediaTypes.ociConfig, config),
  layers: [describeContent(mediaTypes.ociLayer, large), describeContent(mediaTypes.ociLayer, little)],
};
/** The image that every case moves: a config, a layer of 8 MiB and one of 300 kB. */
export const image = {
  large: describeContent(mediaTypes.ociLayer, large),
  little: describeContent(mediaTypes.ociLayer, little),
  config: manifest.config,
  root: describeContent(mediaTypes.ociManifest, Buffer.from(serializeManifest(manifest))),
} as const;
const contents: readonly (readonly [Descriptor, Buffer])[] = [
  [image.config, config],
  [image.large, large],
  [image.little, little],
  [image.root, Buffer.from(serializeManifest(manifest))],
];

/** Puts the image into a place. */
export async function putImage(to: Target): Promise<void> {
  for (const [descriptor, content] of contents) await to.push(descriptor, content);
  await to.tag(image.root, 'v1');
}

/** What is wrong with the image in a place; nothing where all of it is there as it was made. */
export async function faultsOf(place: Target): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [descriptor, content] of contents) {
    const found = await fetchBytes(place, descriptor, {}).catch(() => undefined);
    if (found === undefined) wrong.push(`${descriptor.mediaType} is missing`);
    else if (!content.equals(found)) wrong.push(`${descriptor.mediaType} is corrupt`);
  }
  return wrong;
}

export const freshRoot = (): Promise<string> =>
  mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'slipway-faults-'));

export const dropRoot = (root: string): Promise<void> => rm(root, { recursive: true, force: true });

/** Hears of each request before anything else does. */
function recorder(seen: Recorded[], ...inner: readonly RequestFilter[]): RequestFilter {
  return {
    filter: (handle) => {
      const next = inner.reduceRight((behind, filter) => filter.filter(behind), handle);
      return (request: IncomingMessage, response: ServerResponse) => {
        seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
        next(request, response);
      };
    },
    attach: (server) => inner.forEach((each) => each.attach(server)),
    release: () => inner.forEach((each) => each.release()),
  };
}

/** The plan of some rules; each that strikes is taken off `waiting`. */
function planOf(given: readonly Rule[], waiting: Set<unknown>): FaultPlan {
  const rules = parseFaults(JSON.stringify({ faults: given }));
  for (const { fault } of rules) waiting.add(fault);
  return new FaultPlan(rules, { onFault: ({ fault }) => waiting.delete(fault) });
}

const basicLayer: ServerLayer = async ({ request, response }, next) => {
  const wanted = `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
  if (request.headers.authorization === wanted) return next();
  response.writeHead(401, { 'www-authenticate': 'Basic realm="x"', 'content-length': 0 });
  response.end();
};

/** The servers of one case, and the client's session. */
interface Rig extends AsyncDisposable {
  readonly requests: Recorded[];
  readonly elsewhere: Recorded[];
  readonly tokenRequests: Recorded[];
  readonly slept: number[];
  readonly warnings: string[];
  /** All that came out of the client for people to read. */
  readonly told: string[];
  readonly issuer: TokenServer;
  /** Faults that did not happen yet. */
  readonly waiting: ReadonlySet<unknown>;
  open(access: 'pull' | 'push', repository?: string): RepositoryTarget;
}

async function openRig(root: string, injection: Injection): Promise<Rig> {
  const [requests, elsewhere, tokenRequests]: [Recorded[], Recorded[], Recorded[]] = [[], [], []];
  const [slept, warnings, told]: [number[], string[], string[]] = [[], [], []];
  const waiting = new Set<unknown>();
  const storage = await openDiskStorage(root);
  const other = await startRegistry({
    storage,
    faults: recorder(elsewhere, planOf(injection.elsewhere ?? [], waiting)),
  });
  const tokenFilter = recorder(tokenRequests, planOf(injection.tokens ?? [], waiting));
  const issuer = await tokenServer({ users: { me: password }, ...injection.tokenServer, filter: tokenFilter });
  const { faults = [], auth = 'token' } = injection;
  const rules = typeof faults === 'function' ? faults({ elsewhere: other.url, realm: issuer.realm }) : faults;
  const gate = { none: [], basic: [basicLayer], token: [tokenLayer(issuer)] }[auth];
  const registry = await startRegistry({
    storage,
    faults: recorder(requests, planOf(injection.proxy ?? [], waiting), planOf(rules, waiting)),
    layers: gate,
  });
  const session = openSession({ clock: quickClock(slept), ...timeouts, ...injection.session });
  const options: RegistryOptions = {
    session,
    credential,
    warn: (message) => warnings.push(message),
    trace: (event) => told.push(JSON.stringify(event)),
    ...injection.options,
  };
  return {
    requests,
    elsewhere,
    tokenRequests,
    slept,
    warnings,
    told,
    issuer,
    waiting,
    open: (access, repository = 'a/b') => openRepository(`${registry.host}/${repository}`, { ...options, access }),
    [Symbol.asyncDispose]: async () => {
      await session.close();
      await Promise.all([registry.close(), other.close(), issuer.close()]);
    },
  };
}

/** Pulls the image, which is in the registry under `root`, into memory. */
export async function pull(root: string, injection: Injection): Promise<Outcome> {
  await using rig = await openRig(root, injection);
  const to = new MemoryTarget();
  const failure = await attempt(rig, async (signal) => {
    const from = rig.open('pull');
    const root = await from.resolve(injection.reference ?? 'v1', { reads: injection.byHead !== true, signal });
    await copyGraph(from, to, root, { names: ['v1'], signal });
  });
  const named = await to.resolve('v1').then(
    () => true,
    () => false,
  );
  return outcome(rig, failure, { wrong: await faultsOf(to), named });
}

/** Pushes the image to an empty registry. */
export async function push(injection: Injection): Promise<Outcome> {
  const root = await freshRoot();
  try {
    const from = new MemoryTarget();
    await putImage(from);
    await using rig = await openRig(root, injection);
    const failure = await attempt(rig, async (signal) => {
      await copyGraph(from, rig.open('push'), image.root, { names: ['v1'], signal });
    });
    await using server = await startRegistry({ storage: await openDiskStorage(root) });
    const there = openRepository(`${server.host}/a/b`, { credential: 'anonymous' });
    const named = (await there.resolve('v1').catch(() => undefined)) !== undefined;
    return outcome(rig, failure, { wrong: await faultsOf(there), named });
  } finally {
    await dropRoot(root);
  }
}

/** Runs `work` under a deadline; what it does after that is a hang. */
async function attempt(rig: Rig, work: (signal: AbortSignal) => Promise<void>): Promise<Outcome['failure']> {
  const deadline = AbortSignal.timeout(longest);
  const { promise: hung, resolve } = Promise.withResolvers<Outcome['failure']>();
  deadline.addEventListener('abort', () => setTimeout(resolve, 500, { code: 'HUNG', text: 'it hung' }));
  const done = work(deadline).then(
    () => undefined,
    (error: unknown) => failureOf(error, deadline),
  );
  const failure = await Promise.race([done, hung]);
  if (failure !== undefined) rig.told.push(failure.text);
  return failure;
}

function failureOf(error: unknown, deadline: AbortSignal): Outcome['failure'] {
  const texts: string[] = [];
  let code = '';
  for (let at = error; at instanceof Error; at = at.cause) {
    texts.push(at.message, ...('hint' in at && typeof at.hint === 'string' ? [at.hint] : []));
    texts.push(...('details' in at && Array.isArray(at.details) ? at.details.map(String) : []));
    if (isSlipwayError(at) && at.code !== 'COPY_FAILED') code ||= at.code;
  }
  return { code: deadline.aborted ? 'HUNG' : code, text: texts.join('\n') };
}

/** Checks what holds for every case, then tells what came of it. */
function outcome(
  rig: Rig,
  failure: Outcome['failure'],
  place: { readonly wrong: readonly string[]; readonly named: boolean },
): Outcome {
  const { requests, elsewhere, tokenRequests, slept, warnings, told, issuer } = rig;
  const secrets = [password, Buffer.from(`me:${password}`).toString('base64'), ...issuer.issued];
  const leaks = (text: string): boolean => secrets.some((secret) => text.includes(secret));
  const shown = [...told, ...warnings].filter(leaks);
  const offOrigin = elsewhere.filter((one) => one.headers.authorization !== undefined || leaks(JSON.stringify(one)));
  const inUrls = [...requests, ...tokenRequests].filter(({ url }) => leaks(decodeURIComponent(url)));
  if (shown.length + offOrigin.length + inUrls.length > 0) {
    throw new Error(`a secret got out: ${JSON.stringify({ shown, offOrigin, inUrls })}`);
  }
  if (rig.waiting.size > 0)
    throw new Error(`this did not happen: ${JSON.stringify([...rig.waiting])}, ${failure?.text ?? 'and it succeeded'}`);
  if (place.wrong.some((what) => what.endsWith('corrupt'))) throw new Error(place.wrong.join(', '));
  if (place.named && place.wrong.length > 0)
    throw new Error(`a name stands before its content: ${place.wrong.join(', ')}`);
  return { failure, wrong: place.wrong, requests, elsewhere, tokenRequests, slept, warnings };
}
