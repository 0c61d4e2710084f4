import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Ast,
  type BuildInputs,
  check,
  checkNeeds,
  type CheckOptions,
  decodeText,
  needs,
  type Outline,
  outlineOf,
  parse,
  type PlatformGraph,
  type StepGraph,
} from '../../dockerfile/index.ts';
import type { Platform } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import type { Privileges } from '../../system/index.ts';
import { BaseImages } from './base-images.ts';
import { type CheckedDockerfile, reportOf } from './check-dockerfile.ts';
import { BuildAccess } from '../contexts/build-access.ts';
import { gitContext, openContext, type OpenContext } from '../contexts/main-context.ts';
import { type NamedContexts, parseNamedContexts } from '../contexts/named-contexts.ts';
import { RemoteSources } from '../contexts/remote-sources.ts';
import type { OnBuildEvent } from '../events.ts';
import type { OpenRepository } from '../images/resolve.ts';
import { inputsOf } from './inputs.ts';
import { platformGraphOf } from './plan.ts';
import type { BuildRequest } from '../request.ts';

/** What reading a Dockerfile needs. */
export interface ReadOptions {
  readonly privileges: Privileges;
  readonly signal?: AbortSignal | undefined;
}

/** What finding out the meaning of a build needs: its bases are looked up. */
export interface DescribeOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  readonly signal?: AbortSignal | undefined;
  /** What the result is for, each once; the request's own platform unless given. */
  readonly platforms?: readonly Platform[] | undefined;
}

/**
 * The Dockerfile that a build would use, as instructions. Needs no store and no network.
 * @throws DockerfileError, BuildError as `build` does for its context
 */
export async function readDockerfile(request: BuildRequest, options: ReadOptions): Promise<Ast> {
  return withContext(request, options, async (context) => parseIn(context));
}

/**
 * The graph that a build would carry out, with the configs of its bases resolved as a build does; for several platforms one
 * graph of all.
 * @throws DockerfileError, BuildError IMAGE_NOT_FOUND, and what `build` throws for its context
 */
export async function describeGraph(
  request: BuildRequest,
  options: DescribeOptions,
): Promise<StepGraph | PlatformGraph> {
  const { platforms = [] } = options;
  const [platform = request.platform] = platforms;
  return withImages({ ...request, platform }, options, async ({ images, inputs, ast }) => {
    if (platforms.length < 2) return images.graphOf(ast, inputs);
    return platformGraphOf(ast, inputs, { images, platforms });
  });
}

/**
 * What a build can be given: arguments, secrets, ssh agents.
 * @throws as `describeGraph`
 */
export async function describeOutline(request: BuildRequest, options: DescribeOptions): Promise<Outline> {
  return withImages(request, options, ({ images, inputs, ast }) => outlineIn(images, ast, inputs));
}

/**
 * Checks the Dockerfile of a build, the configs of its bases resolved as a build does.
 * @throws BuildError as `describeGraph`; what is wrong with the Dockerfile is in the report
 */
export async function checkBuild(
  request: BuildRequest,
  options: DescribeOptions & CheckOptions,
): Promise<CheckedDockerfile> {
  return withText(request, options, async ({ images, inputs, dockerfile: { name, text: bytes } }) => {
    const report = await reportOf(async () => {
      const ast = parseIn({ dockerfile: { name, text: bytes } });
      const configs = await images.resolveAll(ast, (known) => checkNeeds(ast, inputs, known));
      return check(ast, inputs, configs, options);
    });
    return { name, bytes, text: decodeText(bytes), report };
  });
}

async function outlineIn(images: BaseImages, ast: Ast, inputs: BuildInputs): Promise<Outline> {
  return outlineOf(ast, inputs, await images.resolveAll(ast, (configs) => needs(ast, inputs, configs)));
}

export interface Opened {
  readonly images: BaseImages;
  readonly ast: Ast;
  readonly inputs: BuildInputs;
  readonly contexts: NamedContexts;
  readonly remote: RemoteSources;
  /** Of the context. */
  readonly folder: string | undefined;
}

interface OpenedText extends Omit<Opened, 'ast'> {
  readonly dockerfile: OpenContext['dockerfile'];
}

/** Opens what a build would read, for the length of `work`, with its bases to be had. */
export function withImages<T>(
  request: BuildRequest,
  options: DescribeOptions,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  return withText(request, options, ({ dockerfile, ...opened }) => work({ ...opened, ast: parseIn({ dockerfile }) }));
}

function withText<T>(
  request: BuildRequest,
  options: DescribeOptions,
  work: (opened: OpenedText) => Promise<T>,
): Promise<T> {
  const contexts = parseNamedContexts(request.contexts);
  const { store, signal, platforms = [] } = options;
  return withContext(request, { privileges: store.privileges, signal }, async (context, remote) => {
    const showPlatform = platforms.length > 1;
    const images = new BaseImages({ ...options, contexts, pull: request.pull, showPlatform });
    const { dockerfile, folder } = context;
    return work({ images, inputs: inputsOf(request, { context, contexts }), contexts, remote, folder, dockerfile });
  });
}

/** Opens the main context for the length of `work`; what is not a folder of this machine is fetched and unpacked in temporary ones. */
async function withContext<T>(
  request: BuildRequest,
  options: ReadOptions,
  work: (context: OpenContext, remote: RemoteSources) => Promise<T>,
): Promise<T> {
  const made: string[] = [];
  const scratch = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
    made.push(folder);
    return folder;
  };
  const { signal } = options;
  await using access = new BuildAccess({ request: request.mounts, environment: process.env, scratch, signal });
  using remote = new RemoteSources({ access, facts: noFacts, scratch, signal, home: gitContext(request) });
  try {
    return await work(await openContext(request, { ...options, scratch, remote }), remote);
  } finally {
    for (const folder of made) await rm(folder, { recursive: true, force: true });
  }
}

/** Reading alone leaves nothing in the store. */
const noFacts = { fact: () => undefined, putFact: () => undefined };

function parseIn({ dockerfile }: Pick<OpenContext, 'dockerfile'>): Ast {
  return parse(dockerfile.text, { name: dockerfile.name });
}
