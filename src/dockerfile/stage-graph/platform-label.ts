import { formatPlatform, normalizePlatform, parsePlatform, type Platform } from '../../oci/index.ts';
import type { Plan, PlannedStage } from './plan.ts';

/**
 * What a title says of its step's platform: `linux/amd64`, and `linux/amd64->arm64` where the step runs on one platform and
 * is told by its variables (`ARG TARGETARCH` and its like) to make something for another.
 */
export function platformLabel(plan: Plan, stage: PlannedStage, variables: ReadonlyMap<string, string>): string {
  const runsOn = stagePlatform(plan, stage);
  return formatPlatform(runsOn) + arrow(runsOn, madeFor(runsOn, variables));
}

/** Where the steps of a stage run: what its first FROM asks for. */
function stagePlatform({ inputs }: Plan, { root }: PlannedStage): Platform {
  return root.kind === 'image' ? root.platform : normalizePlatform(inputs.platform);
}

/** The platform that variables name; undefined where they name none. */
function madeFor(runsOn: Platform, variables: ReadonlyMap<string, string>): Platform | undefined {
  const whole = variables.get('TARGETPLATFORM');
  const named = whole === undefined ? undefined : tryPlatform(whole);
  if (named !== undefined) return named;
  const os = variables.get('TARGETOS');
  const architecture = variables.get('TARGETARCH');
  const variant = variables.get('TARGETVARIANT');
  if (os === undefined && architecture === undefined && variant === undefined) return undefined;
  return normalizePlatform({
    os: os || runsOn.os,
    architecture: architecture || runsOn.architecture,
    ...(variant ? { variant } : {}),
  });
}

function tryPlatform(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch {
    return undefined;
  }
}

function arrow(from: Platform, to: Platform | undefined): string {
  if (to === undefined) return '';
  if (to.os !== from.os) return `->${formatPlatform(to)}`;
  if (to.architecture === from.architecture) return '';
  return `->${[to.architecture, ...(to.variant === undefined ? [] : [to.variant])].join('/')}`;
}
