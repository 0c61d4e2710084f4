import type { Confinement, Limits, NameService, NetworkMode, Security } from '../../container/index.ts';
import { decodeText, excerpt, type RunStep, type StepGraph } from '../../dockerfile/index.ts';
import type { OpenContext } from '../contexts/main-context.ts';
import { BuildError } from '../error.ts';
import type { BuildRequest } from '../request.ts';

/** Rights beyond the usual ones that a Dockerfile may ask for, and gets only if the build allows it. */
export const entitlements = ['network.host', 'security.insecure'] as const;
/** What `--allow` gives to the steps that ask for it. */
export type Entitlement = (typeof entitlements)[number];

/** What all RUN steps of a build are given and may use. */
export interface ConfinementRequest {
  readonly limits: Limits;
  readonly names: NameService;
  readonly security: Omit<Security, 'insecure'>;
  readonly allow: readonly Entitlement[];
}

/** The network of a step: its own word counts before the build's. */
export function networkOf(step: RunStep, request: Pick<BuildRequest, 'network'>): NetworkMode {
  return step.network === 'default' ? request.network : step.network;
}

/** What one RUN may use and do: what the build says, with the rights that the step asks for. */
export function confinementOf(step: RunStep, request: ConfinementRequest | undefined): Confinement {
  const insecure = step.security === 'insecure';
  const security: Security = { insecure, ...(request?.security ?? usualSecurity) };
  return { limits: request?.limits, names: request?.names, security };
}

const usualSecurity: ConfinementRequest['security'] = { seccomp: 'default', noNewPrivileges: false, unmasked: false };

/** Whether a name stands for the machine that the step runs on. */
export function namesMachine(request: ConfinementRequest | undefined): boolean {
  return (request?.names.hosts ?? []).some(({ address }) => address === 'host-gateway');
}

/** The names of `--add-host`, sorted: what of this counts for a RUN's cache key. What limits and watches a step is not in its result. */
export function hostNames(request: ConfinementRequest | undefined): readonly string[] {
  return (request?.names.hosts ?? []).map(({ name }) => name).sort();
}

/**
 * Refuses steps that ask for more than the build allows, before any of them is done. Whoever gives the whole build the machine's
 * network has allowed it.
 * @throws BuildError NOT_ALLOWED
 */
export function checkEntitlements(
  graph: Pick<StepGraph, 'steps'>,
  request: Pick<BuildRequest, 'network' | 'confinement'>,
  dockerfile: OpenContext['dockerfile'],
): void {
  const allowed = new Set<Entitlement>(request.confinement?.allow);
  if (request.network === 'host') allowed.add('network.host');
  for (const step of graph.steps) {
    if (step.kind !== 'run') continue;
    const wanted = wantedBy(step).find((right) => !allowed.has(right));
    if (wanted === undefined) continue;
    const { name, text } = dockerfile;
    const details = step.location === undefined ? [] : excerpt(decodeText(text), step.location, { name });
    throw new BuildError('NOT_ALLOWED', `${wanted} is not allowed`, {
      details,
      hint: `${step.title} asks for it: allow it with --allow ${wanted}, if you trust this Dockerfile`,
    });
  }
}

function wantedBy(step: RunStep): readonly Entitlement[] {
  return [
    ...(step.network === 'host' ? (['network.host'] as const) : []),
    ...(step.security === 'insecure' ? (['security.insecure'] as const) : []),
  ];
}
