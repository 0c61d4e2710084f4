import {
  type Ast,
  type BuildInputs,
  type PlatformGraph,
  type PlatformResult,
  platformNeeds,
  type Step,
  type StepGraph,
  type StepId,
  toPlatformGraph,
} from '../../dockerfile/index.ts';
import type { Platform } from '../../oci/index.ts';
import type { BaseImages } from './base-images.ts';

/** What a build carries out: the steps of all platforms as one graph, and the image of each. */
export interface BuildPlan extends Pick<StepGraph, 'steps' | 'warnings' | 'epoch'> {
  /** In the order asked for; one unless several were asked for. */
  readonly platforms: readonly PlatformResult[];
}

/**
 * The plan of a Dockerfile for one platform or several, the configs of its bases resolved.
 * @throws DockerfileError, BuildError IMAGE_NOT_FOUND
 */
export async function planOf(
  ast: Ast,
  inputs: BuildInputs,
  { images, platforms }: { readonly images: BaseImages; readonly platforms: readonly Platform[] },
): Promise<BuildPlan> {
  if (platforms.length > 1) return platformGraphOf(ast, inputs, { images, platforms });
  const { image, target, ...graph } = await images.graphOf(ast, inputs);
  return { ...graph, platforms: [{ platform: inputs.platform, target, image }] };
}

/** The graph of several platforms at once. @throws as `planOf` */
export async function platformGraphOf(
  ast: Ast,
  inputs: BuildInputs,
  { images, platforms }: { readonly images: BaseImages; readonly platforms: readonly Platform[] },
): Promise<PlatformGraph> {
  const all = { ...inputs, platforms };
  return toPlatformGraph(ast, all, await images.resolveAll(ast, (configs) => platformNeeds(ast, all, configs)));
}

/** The step that a step's tree begins with: an image from outside, or the first one over an empty tree; itself where it is that. */
export function rootOf(id: StepId, steps: ReadonlyMap<StepId, Step>): Step {
  for (let at = id; ; ) {
    const step = steps.get(at);
    if (step === undefined) throw new Error(`step ${at} is not in its graph`);
    if (step.kind === 'image' || step.input === undefined) return step;
    at = step.input;
  }
}
