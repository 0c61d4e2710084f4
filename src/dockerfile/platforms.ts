import { formatPlatform, normalizePlatform, type Platform } from '../oci/index.ts';
import type { Ast } from './ast.ts';
import { type BuildInputs, needKey, type PlacedNeed, type ResolvedConfigs } from './contract.ts';
import type {
  CopySource,
  EpochSource,
  GraphWarning,
  ImageDraft,
  RunMount,
  Step,
  StepGraph,
  StepId,
  TreeSource,
} from './graph.ts';
import { needs } from './stage-graph/reach.ts';
import { toGraph } from './stage-graph/to-graph.ts';

/** BuildInputs for several platforms at once. */
export interface PlatformInputs extends Omit<BuildInputs, 'platform' | 'showPlatform'> {
  readonly platforms: readonly Platform[];
}

/**
 * What a Dockerfile asks for on several platforms. Plain JSON. A step that is the same for several of them is there once, with
 * the title of the first; each step comes after all it needs.
 */
export interface PlatformGraph {
  readonly version: 1;
  /** In the order asked for, each once. */
  readonly platforms: readonly PlatformResult[];
  readonly steps: readonly Step[];
  /** As in a StepGraph; the same for all platforms. */
  readonly epoch?: EpochSource;
  readonly warnings: readonly GraphWarning[];
}

/** As in a StepGraph, for one platform. */
export interface PlatformResult {
  readonly platform: Platform;
  readonly target: StepId | undefined;
  readonly image: ImageDraft;
}

/**
 * As `needs`, for all platforms.
 * @throws DockerfileError
 */
export function platformNeeds(ast: Ast, inputs: PlatformInputs, configs: ResolvedConfigs): readonly PlacedNeed[] {
  const found = new Map<string, PlacedNeed>();
  for (const each of inputsOfEach(inputs)) {
    for (const need of needs(ast, each, configs)) if (!found.has(needKey(need))) found.set(needKey(need), need);
  }
  return [...found.values()];
}

/**
 * As `toGraph`, for all platforms: their graphs as one.
 * @throws DockerfileError; MISSING_CONFIG where `platformNeeds` still asks for something
 */
export function toPlatformGraph(ast: Ast, inputs: PlatformInputs, configs: ResolvedConfigs): PlatformGraph {
  const pool = new StepPool();
  const warnings = new Map<string, GraphWarning>();
  let epoch: EpochSource | undefined;
  const platforms = inputsOfEach(inputs).map((each): PlatformResult => {
    const graph = toGraph(ast, each, configs);
    epoch ??= graph.epoch;
    for (const warning of graph.warnings) warnings.set(JSON.stringify(warning), warning);
    return { platform: each.platform, ...pool.add(graph) };
  });
  const found = epoch === undefined ? {} : { epoch };
  return { version: 1, platforms, steps: pool.steps, ...found, warnings: [...warnings.values()] };
}

function inputsOfEach({ platforms, ...inputs }: PlatformInputs): BuildInputs[] {
  const distinct = new Map(platforms.map(normalizePlatform).map((each) => [formatPlatform(each), each]));
  return Array.from(distinct.values(), (platform) => ({ ...inputs, platform, showPlatform: distinct.size > 1 }));
}

/** Steps of several graphs, equal ones once. */
class StepPool {
  readonly steps: Step[] = [];
  /** By what they do. */
  readonly #known = new Map<string, StepId>();

  /** Takes a graph's steps in; gives its target and image in the numbers of the pool. */
  add({ steps, target, image }: StepGraph): Pick<PlatformResult, 'target' | 'image'> {
    const ids = new Map<StepId, StepId>();
    const rename: Rename = (id) => {
      const renamed = ids.get(id);
      if (renamed === undefined) throw new Error(`step ${id} comes before what it needs`);
      return renamed;
    };
    for (const step of steps) ids.set(step.id, this.#put(withInputs(step, rename)));
    return {
      target: target === undefined ? undefined : rename(target),
      image: {
        ...image,
        history: image.history.map((item) => (item.step === undefined ? item : { ...item, step: rename(item.step) })),
      },
    };
  }

  #put(step: Step): StepId {
    const { id: _, title: __, ...work } = step;
    const key = JSON.stringify(work);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const id = `s${this.steps.length}`;
    this.#known.set(key, id);
    this.steps.push({ ...step, id });
    return id;
  }
}

type Rename = (id: StepId) => StepId;

/** The step with the ids of all it reads renamed. */
function withInputs(step: Step, rename: Rename): Step {
  if (step.kind === 'image') return step;
  const input = step.input === undefined ? undefined : rename(step.input);
  switch (step.kind) {
    case 'workdir':
      return { ...step, input };
    case 'copy':
      return { ...step, input, sources: step.sources.map((source) => withTree(source, rename)) };
    case 'run':
      return { ...step, input, mounts: step.mounts.map((mount) => withTree(mount, rename)) };
  }
}

function withTree<T extends CopySource | RunMount>(reader: T, rename: Rename): T {
  const from: TreeSource | undefined = 'from' in reader ? reader.from : undefined;
  return from?.kind === 'step' ? { ...reader, from: { ...from, step: rename(from.step) } } : reader;
}
