import { messageOf } from '../errors.ts';
import {
  type BuildInputs,
  type ImageStep,
  needKey,
  needs,
  parse,
  type ResolvedConfigs,
  type StepGraph,
  toGraph,
  type Ast,
  type ImageNeed,
} from '../dockerfile/index.ts';
import {
  type Digest,
  familiarName,
  formatReference,
  hostPlatform,
  type ImageConfig,
  normalizePlatform,
  parseReference,
} from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { openContext, type OpenContext } from './context.ts';
import { BuildError } from './error.ts';
import type { OnBuildEvent } from './events.ts';
import { imageConfigOf } from './image-config.ts';
import { importImage, type OpenRepository, type ResolvedImage, resolveImage } from './images/resolve.ts';
import { Lane } from './lane.ts';
import { foldersOf, type NamedContexts, normalName, parseNamedContexts } from './named-contexts.ts';
import { checkOutputs, type ExportedImage, exportImage } from './outputs.ts';
import type { BuildRequest } from './request.ts';
import { solve } from './solve.ts';
import { Workshop } from './workshop.ts';

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
  await using workshop = options.workshop ?? new Workshop(store.privileges);
  const names = request.tags.map((tag) => formatReference(parseReference(tag)));
  checkOutputs(request, names);
  const contexts = parseNamedContexts(request.contexts);
  const context = await openContext(request, () => lane.scratch(), { privileges: store.privileges, signal });
  const ast = parse(context.dockerfile.text, { name: context.dockerfile.name });
  const images = new BaseImages({ ...options, request, contexts });
  const graph = await images.graphOf(ast, inputsOf(request, context, contexts));
  noteWarnings(graph.warnings, options.onEvent);
  const results = await solve(graph, {
    store,
    workshop,
    lane,
    request,
    context,
    folders: foldersOf(contexts),
    imageOf: (step) => images.imageOf(step),
    onEvent: options.onEvent,
    shown: options.shown,
    signal,
  });
  const config = imageConfigOf(graph, results);
  return await exportImage(config, names, { ...options, request, workshop, lane });
}

/** What the Dockerfile is warned of; findings of checks together, as docker sums them up. */
function noteWarnings(warnings: StepGraph['warnings'], onEvent: OnBuildEvent): void {
  for (const { message, rule } of warnings)
    if (rule === undefined) onEvent({ type: 'note', level: 'warning', message });
  const findings = warnings.filter(({ rule }) => rule !== undefined);
  if (findings.length === 0) return;
  const count = findings.length === 1 ? '1 warning' : `${findings.length} warnings`;
  onEvent({ type: 'note', level: 'warning', message: `${count} found in the Dockerfile (slipway check shows where):` });
  for (const { rule, message, line } of findings) {
    onEvent({ type: 'note', level: 'info', message: ` - ${rule}: ${message} (line ${line})` });
  }
}

function inputsOf(request: BuildRequest, context: OpenContext, contexts: NamedContexts): BuildInputs {
  const host = hostPlatform();
  return {
    buildArgs: request.buildArgs,
    ...(request.target === undefined ? {} : { target: request.target }),
    platform: normalizePlatform(request.platform ?? host),
    buildPlatform: host,
    labels: request.labels,
    contexts: Object.fromEntries(
      [...contexts].map(([name, each]) => [name, each.kind === 'folder' ? 'tree' : 'image']),
    ),
    ignore: context.ignore,
    hasContext: context.folder !== undefined,
  };
}

/** The images that a graph starts from, by need. */
class BaseImages {
  readonly #found = new Map<string, ResolvedImage>();
  readonly #options: BuildOptions & { readonly request: BuildRequest; readonly contexts: NamedContexts };

  constructor(options: BuildOptions & { readonly request: BuildRequest; readonly contexts: NamedContexts }) {
    this.#options = options;
  }

  /** Asks for images until nothing is unknown any more: ONBUILD triggers of one base may name others. */
  async graphOf(ast: Ast, inputs: BuildInputs): Promise<StepGraph> {
    const configs = new Map<string, ImageConfig>();
    for (let open = needs(ast, inputs, configs); open.length > 0; open = needs(ast, inputs, configs)) {
      await Promise.all(
        open.map(async (need) => {
          const image = await this.#resolve(need);
          this.#found.set(needKey(need), image);
          configs.set(needKey(need), image.config);
        }),
      );
    }
    return toGraph(ast, inputs, configs satisfies ResolvedConfigs);
  }

  imageOf(step: ImageStep): ResolvedImage {
    const image = this.#found.get(needKey(step));
    if (image === undefined) throw new Error(`image ${step.name} was never resolved`);
    return image;
  }

  async #resolve(need: ImageNeed): Promise<ResolvedImage> {
    const { onEvent } = this.#options;
    const id = `load ${need.name}`;
    onEvent({
      type: 'step-start',
      id,
      title: `[internal] load metadata for ${shownName(need.name)}`,
      time: Date.now(),
    });
    try {
      const image = await this.#find(need);
      onEvent({ type: 'step-done', id, cached: false, time: Date.now() });
      return image;
    } catch (error) {
      onEvent({ type: 'step-error', id, message: messageOf(error), time: Date.now() });
      throw error;
    }
  }

  async #find(need: ImageNeed): Promise<ResolvedImage> {
    const { store, open, request, signal, contexts } = this.#options;
    const context = contexts.get(normalName(need.name));
    if (context?.kind === 'layout') {
      const { openLayout } = await import('../transports/index.ts');
      return importImage(await openLayout(context.path), context.reference, { store, platform: need.platform, signal });
    }
    const name = context?.kind === 'image' ? context.name : need.name;
    try {
      return await resolveImage(name, need.platform, { store, open, pull: request.pull, signal });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'NOT_FOUND') throw error;
      throw new BuildError('IMAGE_NOT_FOUND', `${shownName(name)}: not found`, {
        cause: error,
        hint: 'check the name, or log in if the repository is private',
      });
    }
  }
}

function shownName(name: string): string {
  try {
    const reference = parseReference(name);
    return reference.digest === undefined ? formatReference(reference) : familiarName(reference);
  } catch {
    return name;
  }
}
