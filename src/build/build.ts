import { parse, type StepGraph } from '../dockerfile/index.ts';
import { type Digest, formatReference, parseReference } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { BaseImages } from './base-images.ts';
import { BuildCache } from './cache/build-cache.ts';
import { openContext } from './context.ts';
import type { OnBuildEvent } from './events.ts';
import { imageConfigOf } from './image-config.ts';
import type { OpenRepository } from './images/resolve.ts';
import { inputsOf } from './inputs.ts';
import { Lane } from './lane.ts';
import { foldersOf, parseNamedContexts } from './named-contexts.ts';
import { checkOutputs, type ExportedImage, exportImage } from './outputs.ts';
import { SecretSources } from './mounts/secrets.ts';
import type { BuildRequest } from './request.ts';
import { solve } from './solve.ts';
import { parallelismOf, Workshop } from './workshop.ts';

export interface BuildOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  /** What to wait for before a step may write much more: asked after events with output. Never rejected. */
  readonly shown?: (() => Promise<void> | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Started earlier by a caller that has other things to do meanwhile; ended with the build. */
  readonly workshop?: Workshop | undefined;
}

export interface BuildResult {
  /** The config's digest: docker's image id. */
  readonly imageId: Digest;
  readonly names: readonly string[];
  readonly exported: ExportedImage;
}

/**
 * Builds an image from a Dockerfile: graph, solve, config, outputs (DESIGN "A build").
 * @throws DockerfileError for what is written wrong, BuildError STEP_FAILED with the step's own exit status, and what rooms below throw
 */
export async function build(request: BuildRequest, options: BuildOptions): Promise<BuildResult> {
  const { store, signal } = options;
  await using lane = new Lane(store);
  await using workshop = options.workshop ?? new Workshop(store.privileges, parallelismOf(request.maxParallelism));
  const names = request.tags.map((tag) => formatReference(parseReference(tag)));
  checkOutputs(request, names);
  const contexts = parseNamedContexts(request.contexts);
  const context = await openContext(request, () => lane.scratch(), { privileges: store.privileges, signal });
  const ast = parse(context.dockerfile.text, { name: context.dockerfile.name });
  const images = new BaseImages({ ...options, contexts, pull: request.pull });
  const graph = await images.graphOf(ast, inputsOf(request, { context, contexts }));
  noteWarnings(graph.warnings, options.onEvent);
  const secrets = new SecretSources(request.mounts?.secrets ?? [], { environment: process.env, signal });
  const solution = await solve(graph, {
    store,
    cache: new BuildCache(store),
    workshop,
    lane,
    request,
    context,
    secrets,
    folders: foldersOf(contexts),
    imageOf: (step) => images.imageOf(step),
    onEvent: options.onEvent,
    shown: options.shown,
    signal,
  });
  const config = imageConfigOf(graph, solution.results);
  const image = await exportImage(config, names, { ...options, request, workshop, lane });
  solution.close([image.imageId]);
  return image;
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
