import { contextCopies, type ImageStep, parse, type StepGraph } from '../../dockerfile/index.ts';
import { BaseImages } from './base-images.ts';
import { checkEntitlements } from '../run/confinement.ts';
import { selectionsOf } from '../contexts/trees.ts';
import { openContext, type OpenContext } from '../contexts/main-context.ts';
import { type NamedContexts, parseNamedContexts } from '../contexts/named-contexts.ts';
import type { BuildOptions } from '../contract.ts';
import type { OnBuildEvent } from '../events.ts';
import { requireRunnable } from './foreign-steps.ts';
import type { ResolvedImage } from '../images/resolve.ts';
import { inputsOf } from './inputs.ts';
import type { BuildPlaces } from '../places.ts';
import type { BuildPlan } from './plan.ts';
import { openPolicies } from '../policy/open-policy.ts';
import { policedSteps } from '../policy/sources.ts';
import { planWithEpoch } from './plan-with-epoch.ts';
import type { BuildRequest } from '../request.ts';

export interface PlannedBuild {
  readonly plan: BuildPlan;
  /** SOURCE_DATE_EPOCH of a reproducible build, seconds since 1970. */
  readonly epoch: number | undefined;
  readonly context: OpenContext;
  readonly contexts: NamedContexts;
  readonly imageOf: (step: ImageStep) => ResolvedImage;
}

/**
 * Reads what a build is to do, and refuses what cannot be done, before any of it is.
 * @throws DockerfileError, and BuildError for contexts, bases, policies, rights and platforms
 */
export async function planBuild(
  request: BuildRequest,
  { lane, reader, opening }: BuildPlaces,
  options: BuildOptions,
): Promise<PlannedBuild> {
  const { onEvent } = options;
  const platforms = request.platforms ?? [];
  const contexts = parseNamedContexts(request.contexts);
  const context = await openContext(request, opening);
  const ast = parse(context.dockerfile.text, { name: context.dockerfile.name });
  const inputs = inputsOf(request, { context, contexts });
  // Bases may have to be asked for elsewhere: meanwhile files are read.
  for (const selection of selectionsOf(contextCopies(ast, inputs), context, request.contextModes))
    reader.readAhead(selection);
  const policing = await openPolicies(request.policy, context.folder);
  const { pull } = request;
  const images = new BaseImages({ ...options, contexts, policing, pull, showPlatform: platforms.length > 1 });
  const imageOf = (step: ImageStep) => images.imageOf(step);
  const sources = { ...opening, context, contexts };
  const { plan: meant, epoch } = await planWithEpoch(ast, inputs, { images, platforms, sources, request });
  const plan = policing === undefined ? meant : { ...meant, steps: policedSteps(meant.steps, policing) };
  noteWarnings(plan.warnings, onEvent);
  await requireRunnable(plan, { lane, dockerfile: context.dockerfile, imageOf, onEvent });
  checkEntitlements(plan, request, context.dockerfile);
  return { plan, epoch, context, contexts, imageOf };
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
