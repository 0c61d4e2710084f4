import { firstError } from '../errors.ts';
import type { Digest } from '../oci/index.ts';
import { builtOf } from './outputs/built-images.ts';
import { exportCaches } from './cache/export.ts';
import { importCaches } from './cache/import.ts';
import { withInlineCache } from './cache/inline.ts';
import { cacheLimit, keepWithin } from './cache/limit.ts';
import { settleLayers } from './cache/settle.ts';
import { contextTrees } from './contexts/context-trees.ts';
import type { BuildOptions, BuildResult } from './contract.ts';
import { interactionOf } from './failed-step/shell.ts';
import { recordBuild, type Recording } from './history/record-build.ts';
import { exportMounts, importMounts } from './mounts/carry-mounts.ts';
import { checkOutputs } from './outputs/check-outputs.ts';
import { CompressAhead } from './outputs/compress-ahead.ts';
import { exportBuild } from './outputs/export.ts';
import { type BuildPlaces, withPlaces } from './places.ts';
import { planBuild, type PlannedBuild } from './plan/plan-build.ts';
import { again, requireSameResults } from './reproduce/verify.ts';
import type { BuildRequest } from './request.ts';
import type { Solution, SolveOptions } from './solve/contract.ts';
import { solve } from './solve/solve.ts';

export type { BuildOptions, BuildResult } from './contract.ts';

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
  const { store } = options;
  if (request.onError === 'shell') interactionOf('--on-error=shell'); // rather now than after a long build
  const limit = cacheLimit(store.root, process.env['SLIPWAY_CACHE_SIZE']);
  checkOutputs(request, wantsIndex(request));
  const imports = importCaches(request.noCache ? [] : (request.cache?.from ?? []), options);
  imports.catch(() => undefined); // told when it is awaited
  const done = withPlaces(request, options, async (places) => {
    const planned = await planBuild(request, places, options);
    places.cache.import(await imports);
    const { onEvent, signal } = options;
    await using ahead = new CompressAhead(request, { store, signal });
    const carry = { store, request: request.mounts, onEvent, signal };
    await importMounts(planned.plan.steps, carry);
    const solution = await solvePlanned(request, { places, planned, ahead }, options);
    const result = await finish(request, { places, planned, ahead, solution }, options);
    await exportMounts(planned.plan.steps, carry);
    await keepWithin(limit, options);
    return result;
  });
  return done.catch((error: unknown) => {
    throw firstError(error);
  });
}

interface Underway {
  readonly places: BuildPlaces;
  readonly planned: PlannedBuild;
  readonly ahead: CompressAhead;
}

async function solvePlanned(
  request: BuildRequest,
  { places, planned, ahead }: Underway,
  options: BuildOptions & Recording,
): Promise<Solution> {
  const { store, onEvent, onShell, shown, signal } = options;
  const { plan, epoch, context, contexts, imageOf } = planned;
  const { access, opening, ...work } = places;
  const solving: SolveOptions = {
    ...work,
    store,
    build: options.id,
    request,
    context,
    secrets: access.secrets,
    folders: await contextTrees(contexts, plan, opening),
    remote: opening.remote,
    imageOf,
    epoch,
    onEvent,
    onShell,
    shown,
    settle: (results) => settleLayers(builtOf(plan, results, epoch), { ...options, request, cache: places.cache }),
    onLayer: (diffId) => ahead.take(diffId),
    blobForm: ahead.form,
    signal,
  };
  const solution = await solve(plan, solving);
  if (request.verifyReproducible !== true) return solution;
  try {
    const second = await solve(plan, { ...solving, onEvent: again(onEvent), blobForm: undefined });
    await requireSameResults(plan, [solution.results, second.results], options);
    return solution;
  } catch (error) {
    solution.close([]);
    throw error;
  }
}

/** Makes the images, sends them where they are to go, and writes down how they came to be. */
async function finish(
  request: BuildRequest,
  { places, planned, ahead, solution }: Underway & { readonly solution: Solution },
  options: BuildOptions & Recording,
): Promise<BuildResult> {
  const { cache, lane, workshop } = places;
  const { plan, epoch } = planned;
  const built = withInlineCache(builtOf(plan, solution.results, epoch), { request, cache, epoch });
  const asIndex = wantsIndex(request);
  let images: readonly Digest[] = [];
  try {
    const exported = await exportBuild(built, { ...options, request, workshop, lane, ahead, asIndex, epoch });
    images = [...new Set([exported.imageId, ...exported.ids])];
    await exportCaches(request.cache?.to ?? [], built, { ...options, cache });
    const metadata = { 'buildx.build.ref': `slipway/local/${options.id ?? lane.id}`, ...exported.metadata };
    return { ...exported, metadata, platforms: built, warnings: plan.warnings };
  } finally {
    solution.close(images); // the steps were done, whatever became of their results
  }
}

/** Whether an index is made even of one image. */
function wantsIndex({ platforms = [], buildArgs }: BuildRequest): boolean {
  // BuildKit's words for a build argument that switches something on.
  const isOn = ['1', 'true', 't'].includes(buildArgs['BUILDKIT_MULTI_PLATFORM']?.toLowerCase() ?? '');
  return platforms.length > 1 || isOn;
}
