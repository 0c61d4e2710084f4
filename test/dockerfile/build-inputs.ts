import {
  type BuildInputs,
  needKey,
  needs,
  parse,
  type Step,
  type StepGraph,
  toGraph,
} from '../../src/dockerfile/index.ts';
import type { Digest, HistoryItem, ImageConfig, RunConfig } from '../../src/oci/index.ts';

export const linux = { os: 'linux', architecture: 'amd64' };

export const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function inputs(changes: Partial<BuildInputs> = {}): BuildInputs {
  return {
    buildArgs: {},
    platform: linux,
    buildPlatform: linux,
    labels: {},
    contexts: {},
    hasContext: true,
    ...changes,
  };
}

export interface Base {
  readonly config?: RunConfig;
  readonly layers?: number;
  readonly history?: readonly HistoryItem[];
  readonly author?: string;
}

/** An image's config as data; one layer unless said otherwise. */
export function imageConfig({ config = {}, layers = 1, history, author }: Base = {}): ImageConfig {
  return {
    platform: linux,
    ...(author === undefined ? {} : { author }),
    config,
    diffIds: Array.from({ length: layers }, (_, index) => `sha256:${String(index).padStart(64, '0')}` as Digest),
    history: history ?? Array.from({ length: layers }, () => ({ createdBy: 'base' })),
  };
}

export interface GraphOptions extends Partial<BuildInputs> {
  /** Configs of images by name; an image that is not here is a plain one. */
  readonly bases?: Readonly<Record<string, Base>>;
}

/** The graph of a Dockerfile, every need answered; `asked` names the needs in order. */
export function graphOf(
  text: string | Uint8Array,
  { bases = {}, ...changes }: GraphOptions = {},
): StepGraph & { asked: string[] } {
  const ast = parse(text);
  const given = inputs(changes);
  const configs = new Map<string, ImageConfig>();
  const asked: string[] = [];
  for (let open = needs(ast, given, configs); open.length > 0; open = needs(ast, given, configs)) {
    for (const need of open) {
      asked.push(needKey(need));
      configs.set(needKey(need), imageConfig(bases[need.name]));
    }
  }
  return { ...toGraph(ast, given, configs), asked };
}

/** The last step of a kind in a Dockerfile's graph. */
export function lastStep<Kind extends Step['kind']>(
  kind: Kind,
  text: string | Uint8Array,
  options?: GraphOptions,
): Extract<Step, { kind: Kind }> {
  const step = graphOf(text, options).steps.findLast((each) => each.kind === kind);
  if (step === undefined) throw new Error(`no ${kind} step`);
  return step as Extract<Step, { kind: Kind }>;
}

/** What history says of a stage's own instructions; `*` marks layers. */
export function ownHistory(text: string, options?: GraphOptions): string[] {
  const items = graphOf(text, options).image.history.filter((item) => item.inherited !== true);
  return items.map((item) => `${item.emptyLayer === true ? '' : '* '}${item.createdBy ?? ''}`);
}
