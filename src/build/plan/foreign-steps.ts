import { findRunnable, type Runnable } from '../../container/index.ts';
import { decodeText, excerpt, type RunStep, type Step } from '../../dockerfile/index.ts';
import { formatPlatform, hostPlatform, type Platform } from '../../oci/index.ts';
import type { OpenContext } from '../contexts/main-context.ts';
import { BuildError } from '../error.ts';
import type { OnBuildEvent } from '../events.ts';
import type { ResolvedImage } from '../images/resolve.ts';
import type { Lane } from '../workshop/lane.ts';
import { type BuildPlan, rootOf } from './plan.ts';

export interface ForeignStepOptions {
  readonly lane: Lane;
  readonly dockerfile: OpenContext['dockerfile'];
  imageOf(step: Step & { kind: 'image' }): ResolvedImage;
  readonly onEvent: OnBuildEvent;
}

/**
 * Refuses RUN steps whose programs this machine cannot run, before any step is done. What a stage can run is what its base is for,
 * not what was asked for; over an empty tree nobody can tell.
 * @throws BuildError UNSUPPORTED
 */
export async function requireRunnable(plan: BuildPlan, options: ForeignStepOptions): Promise<void> {
  for (const { platform, step } of foreignRuns(plan, options)) {
    const found = await findRunnable(platform, await options.lane.scratch());
    if (found.kind === 'none') throw notRunnable(platform, found.reason, { step, ...options });
    if (found.kind === 'emulated') options.onEvent({ type: 'note', level: 'info', message: emulated(platform, found) });
  }
}

/** The first RUN step of each platform that is not this machine's own. */
function foreignRuns(
  { steps }: BuildPlan,
  options: ForeignStepOptions,
): readonly { readonly platform: Platform; readonly step: RunStep }[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const host = hostPlatform();
  const found = new Map<string, { platform: Platform; step: RunStep }>();
  for (const step of steps) {
    if (step.kind !== 'run') continue;
    const root = rootOf(step.id, byId);
    if (root.kind !== 'image') continue;
    const { platform } = options.imageOf(root).config;
    if (platform.os === host.os && platform.architecture === host.architecture) continue;
    const name = formatPlatform(platform);
    if (!found.has(name)) found.set(name, { platform, step });
  }
  return [...found.values()];
}

function emulated(platform: Platform, { handler }: Runnable & { kind: 'emulated' }): string {
  return `RUN steps for ${formatPlatform(platform)} are emulated${handler === undefined ? '' : ` by ${handler}`}`;
}

function notRunnable(
  platform: Platform,
  reason: string,
  { step, dockerfile }: { readonly step: RunStep; readonly dockerfile: OpenContext['dockerfile'] },
): BuildError {
  const name = formatPlatform(platform);
  const host = formatPlatform(hostPlatform());
  const details =
    step.location === undefined ? [] : excerpt(decodeText(dockerfile.text), step.location, { name: dockerfile.name });
  return new BuildError('UNSUPPORTED', `${step.title}: this machine (${host}) cannot run ${name}: ${reason}`, {
    hint: `register an emulator (Debian: apt install qemu-user-static binfmt-support), or build ${name} on a machine of its own and join the results with \`slipway manifest create\`; a stage with FROM --platform=$BUILDPLATFORM runs here`,
    details,
  });
}
