import { join } from 'node:path';
import { type GraphWarning, type ImageStep, parse, type StepGraph, type StepId } from '../dockerfile/index.ts';
import type { ImageConfig, Platform } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { NetworkPool } from '../container/index.ts';
import { BaseImages } from './base-images.ts';
import { BuildCache } from './cache/build-cache.ts';
import { cacheLimit } from './cache/limit.ts';
import { checkEntitlements, namesMachine } from './confinement.ts';
import { BuildAccess } from './contexts/build-access.ts';
import { KeptCommits } from './contexts/git/kept-commits.ts';
import { contextTrees } from './contexts/context-trees.ts';
import { gitContext, openContext } from './contexts/main-context.ts';
import { parseNamedContexts } from './contexts/named-contexts.ts';
import { RemoteSources } from './contexts/remote-sources.ts';
import { timeOf } from './epoch-time.ts';
import { exportCaches } from './cache/export.ts';
import { importCaches } from './cache/import.ts';
import { withInlineCache } from './cache/inline.ts';
import { settleLayers } from './cache/settle.ts';
import type { OnBuildEvent } from './events.ts';
import { recordBuild, type Recording } from './history/record-build.ts';
import type { OnShell } from './failed-step/contract.ts';
import { interactionOf } from './failed-step/shell.ts';
import { imageConfigOf } from './image-config.ts';
import type { OpenRepository } from './images/resolve.ts';
import { inputsOf } from './inputs.ts';
import { Lane } from './lane.ts';
import { requireRunnable } from './foreign-steps.ts';
import { exportMounts, importMounts } from './mounts/carry-mounts.ts';
import { checkOutputs } from './outputs/check-outputs.ts';
import { exportBuild, type Exported } from './outputs/export.ts';
import type { BuiltImage } from './outputs/roots.ts';
import { type BuildPlan, rootOf } from './plan.ts';
import { planWithEpoch } from './reproduce/plan-with-epoch.ts';
import type { BuildRequest } from './request.ts';
import { again, requireSameResults } from './reproduce/verify.ts';
import { openPolicies } from './policy/open-policy.ts';
import { policedSteps } from './policy/sources.ts';
import { solve, type SolveOptions, type StepResult } from './solve.ts';
import { parallelismOf, Workshop } from './workshop.ts';

export interface BuildOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  /** What to wait for before a step may write much more: asked after events with output. Never rejected. */
  readonly shown?: (() => Promise<void> | undefined) | undefined;
  /** How a shell in a failed step is shown, where the request asks for one. */
  readonly onShell?: OnShell | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The caller's own, which several builds may share and which the caller ends; one for this build unless given. */
  readonly workshop?: Workshop | undefined;
}

export interface BuildResult extends Exported {
  /** The image of each platform. */
  readonly platforms: readonly { readonly platform: Platform; readonly config: ImageConfig }[];
  /** Of the Dockerfile. */
  readonly warnings: readonly GraphWarning[];
}

/**
 * Builds an image from a Dockerfile: graph, solve, config, outputs (DESIGN "A build").
 * @throws DockerfileError for what is written wrong, BuildError STEP_FAILED with the step's own exit status, and what rooms below throw
 */
export async function build(request: BuildRequest, options: BuildOptions): Promise<BuildResult> {
  return recordBuild(request, { ...options, root: options.store.root }, (recording) =>
    carryOut(request, { ...options, ...recording }),
  );
}

async function carryOut(asked: BuildRequest, options: BuildOptions & Recording): Promise<BuildResult> {
  const request = asked.verifyReproducible === true ? { ...asked, noCache: true } : asked;
  const { store, signal } = options;
  if (request.onError === 'shell') interactionOf('--on-error=shell'); // rather now than after a long build
  await using lane = new Lane(store);
  await using stack = new AsyncDisposableStack();
  const workshop = options.workshop ?? stack.use(new Workshop(store.privileges, parallelismOf(request.maxParallelism)));
  const limit = cacheLimit(store.root, process.env['SLIPWAY_CACHE_SIZE']);
  const platforms = request.platforms ?? [];
  const asIndex = platforms.length > 1 || isTrue(request.buildArgs['BUILDKIT_MULTI_PLATFORM']);
  checkOutputs(request, asIndex);
  const contexts = parseNamedContexts(request.contexts);
  const imports = importCaches(request.noCache ? [] : (request.cache?.from ?? []), options);
  imports.catch(() => undefined); // told when it is awaited
  const scratch = () => lane.scratch();
  const cache = new BuildCache(store);
  await using access = new BuildAccess({ request: request.mounts, environment: process.env, scratch, signal });
  options.hide(() => access.secrets.known);
  const kept = new KeptCommits(join(store.root, 'git'));
  using remote = new RemoteSources({ access, facts: cache, kept, scratch, signal, home: gitContext(request) });
  const opening = { privileges: store.privileges, scratch, remote, onEvent: options.onEvent, signal };
  const context = await openContext(request, opening);
  const ast = parse(context.dockerfile.text, { name: context.dockerfile.name });
  const policing = await openPolicies(request.policy, context.folder);
  const images = new BaseImages({
    ...options,
    contexts,
    policing,
    pull: request.pull,
    showPlatform: platforms.length > 1,
  });
  const imageOf = (step: ImageStep) => images.imageOf(step);
  const inputs = inputsOf(request, { context, contexts });
  const sources = { ...opening, context, contexts };
  const { plan: planned, epoch } = await planWithEpoch(ast, inputs, { images, platforms, sources, request });
  const plan = policing === undefined ? planned : { ...planned, steps: policedSteps(planned.steps, policing) };
  noteWarnings(plan.warnings, options.onEvent);
  await requireRunnable(plan, { lane, dockerfile: context.dockerfile, imageOf, onEvent: options.onEvent });
  checkEntitlements(plan, request, context.dockerfile);
  const { runs } = parallelismOf(request.maxParallelism);
  const reachesMachine = namesMachine(request.confinement);
  await using networks = new NetworkPool({
    privileges: store.privileges,
    folder: scratch,
    most: runs,
    reachesMachine,
    signal,
  });
  cache.import(await imports);
  const carry = { store, request: request.mounts, onEvent: options.onEvent, signal };
  await importMounts(plan.steps, carry);
  const solving: SolveOptions = {
    store,
    cache,
    workshop,
    lane,
    build: options.id,
    networks,
    request,
    context,
    secrets: access.secrets,
    folders: await contextTrees(contexts, plan, opening),
    remote,
    imageOf,
    epoch,
    onEvent: options.onEvent,
    onShell: options.onShell,
    shown: options.shown,
    settle: (results) => settleLayers(builtOf(plan, results, epoch), { ...options, request, cache }),
    signal,
  };
  const solution = await solve(plan, solving);
  if (request.verifyReproducible === true) {
    const second = await solve(plan, { ...solving, onEvent: again(options.onEvent) });
    await requireSameResults(plan, [solution.results, second.results], options);
  }
  const built = withInlineCache(builtOf(plan, solution.results, epoch), { request, cache, epoch });
  const exported = await exportBuild(built, { ...options, request, workshop, lane, asIndex, epoch });
  await exportCaches(request.cache?.to ?? [], built, { ...options, cache });
  solution.close([...new Set([exported.imageId, ...exported.ids])]);
  await exportMounts(plan.steps, carry);
  const metadata = { 'buildx.build.ref': `slipway/local/${options.id ?? lane.id}`, ...exported.metadata };
  await keepWithin(limit, options);
  return { ...exported, metadata, platforms: built, warnings: plan.warnings };
}

/** What is in the way of the limit goes, least valuable first; what this build used stays. */
async function keepWithin(limit: number, { store, onEvent, signal }: BuildOptions): Promise<void> {
  const { deletedCacheRecords, spaceReclaimed } = await store.trimCache({ limit, signal });
  const count = deletedCacheRecords.length;
  if (count === 0) return;
  const megabytes = Math.round(spaceReclaimed / 1e6);
  const message = `the build cache had outgrown its size: ${count} results were given up, ${megabytes} MB freed`;
  onEvent({ type: 'note', level: 'info', message });
}

/** The image of each platform, with how much of it is its base's. */
function builtOf(
  { platforms, steps }: BuildPlan,
  results: ReadonlyMap<StepId, StepResult>,
  epoch: number | undefined,
): readonly BuiltImage[] {
  const created = epoch === undefined ? undefined : timeOf(epoch);
  const byId = new Map(steps.map((step) => [step.id, step]));
  return platforms.map((each) => {
    const root = each.target === undefined ? undefined : rootOf(each.target, byId);
    const baseLayers = root?.kind === 'image' ? (results.get(root.id)?.diffIds.length ?? 0) : 0;
    const baseHistory = each.image.history.filter((item) => item.inherited === true).length;
    return {
      platform: each.platform,
      config: imageConfigOf(each, results, { epoch: created }),
      baseLayers,
      baseHistory,
    };
  });
}

/** BuildKit's words for a build argument that switches something on. */
function isTrue(value: string | undefined): boolean {
  return ['1', 'true', 't'].includes(value?.toLowerCase() ?? '');
}

/** What the Dockerfile is warned of; findings of checks together, as docker sums them up. */
function noteWarnings(warnings: StepGraph['warnings'], onEvent: OnBuildEvent): void {
  for (const { message, rule } of warnings)
    if (rule === undefined) onEvent({ type: 'note', level: 'warning', message });
  const findings = warnings.flatMap(({ rule, message, line }) => (rule === undefined ? [] : [{ rule, message, line }]));
  if (findings.length === 0) return;
  const count = findings.length === 1 ? '1 warning' : `${findings.length} warnings`;
  onEvent({ type: 'note', level: 'warning', message: `${count} found in the Dockerfile`, findings });
}
