import { normalizePlatform, type Platform } from '../../oci/index.ts';
import type { Ast } from '../ast.ts';
import { type BuildInputs, needKey, type ResolvedConfigs } from '../contract.ts';
import { DockerfileError } from '../error.ts';
import { at, placeIn } from '../place.ts';
import { expandText } from '../expand.ts';
import type { ImageDraft, StepGraph } from '../graph.ts';
import type { TextCommand } from '../instructions/command.ts';
import { addStep, type Builder, imageStep, type Scope, stepBase, stepTitle, titlePrefix } from './builder.ts';
import { applyArg, applyHealthcheck, applyList, applyPairs, applyProcess, applyText } from './config-commands.ts';
import { addCopy } from './copy-step.ts';
import { joinWorkdir } from './paths.ts';
import type { PlannedCommand, PlannedStage } from './plan.ts';
import { reach } from './reach.ts';
import { addRun } from './run-step.ts';
import { commit, derivedState, emptyState, imageState, isEmptyImage, type StageState } from './stage-state.ts';
import { proxyVariables } from './variables.ts';

/**
 * The steps that make the target, and its image. Pure: the same arguments give the same graph.
 * @throws DockerfileError; MISSING_CONFIG where `needs` still asks for something
 */
export function toGraph(ast: Ast, inputs: BuildInputs, configs: ResolvedConfigs): StepGraph {
  const { plan, stages, needs } = reach(ast, inputs, configs);
  const [need] = needs;
  if (need !== undefined) {
    throw new DockerfileError('MISSING_CONFIG', `the config of ${needKey(need)} is not known`);
  }
  const builder: Builder = {
    plan,
    configs,
    proxies: proxyVariables(inputs),
    steps: [],
    warnings: syntaxNote(ast),
    images: new Map(),
    states: new Map(),
  };
  for (const stage of stages) builder.states.set(stage.index, buildStage(builder, stage));
  const target = builder.states.get(plan.target.index);
  if (target === undefined) throw new Error('the target is always reachable');
  return {
    version: 1,
    target: target.tip,
    steps: builder.steps,
    image: imageOf(target, inputs),
    warnings: builder.warnings,
  };
}

function syntaxNote({ directives }: Ast): Builder['warnings'] {
  const syntax = directives.find((directive) => directive.name === 'syntax');
  if (syntax === undefined) return [];
  return [{ message: `"# syntax=${syntax.value}" is ignored: the language is built in`, line: syntax.line }];
}

function buildStage(builder: Builder, stage: PlannedStage): StageState {
  const { ast } = builder.plan;
  const scope = at(placeIn(ast, stage.range, 'build'), () => openStage(builder, stage));
  for (const planned of stage.commands) {
    const range = planned.triggered ? stage.range : planned.command.range;
    const command = { ...planned.command, range };
    at(placeIn(ast, range, planned.triggered ? 'trigger' : 'build'), () => dispatch(scope, { ...planned, command }));
  }
  return scope.state;
}

function openStage(builder: Builder, stage: PlannedStage): Scope {
  const { base, commands } = stage;
  const counted = commands.filter(({ command }) => ['add', 'copy', 'run', 'workdir'].includes(command.kind)).length;
  const outside = base.kind === 'image' || base.kind === 'tree';
  const counter = { done: 0, total: counted + (outside ? 1 : 0) };
  const state = emptyState(builder.plan.inputs.platform);
  const scope: Scope = { builder, stage, counter, state };
  switch (base.kind) {
    case 'scratch':
      return scope;
    case 'stage': {
      const from = builder.states.get(base.index);
      if (from === undefined) throw new Error('a base comes before what is built on it');
      return { ...scope, state: derivedState(from) };
    }
    case 'tree':
      addTree(scope, base.key);
      return scope;
    case 'image': {
      const config = builder.configs.get(needKey(base));
      if (config === undefined) throw new Error('needs were checked');
      const title = `${titlePrefix(scope)}FROM ${base.name}`;
      const tip = isEmptyImage(config) ? undefined : imageStep(scope, base, title);
      return { ...scope, state: { ...imageState(config, tip), platformFixed: base.fixed } };
    }
  }
}

/** FROM a folder that a named context gives: one copy of it all. */
function addTree(scope: Scope, name: string): void {
  const { builder, stage, state } = scope;
  const step = addStep(builder, {
    kind: 'copy',
    ...stepBase(scope, `${titlePrefix(scope)}FROM ${name}`, stage.range),
    input: undefined,
    sources: [{ kind: 'path', from: { kind: 'context', name }, path: '/' }],
    destination: '/',
    link: false,
    parents: false,
    exclude: [],
    unpack: 'never',
  });
  commit(state, { createdBy: `FROM ${name} # buildkit`, step });
}

function dispatch(scope: Scope, planned: PlannedCommand): void {
  const { command } = planned;
  switch (command.kind) {
    case 'run':
      return addRun(scope, command, planned);
    case 'add':
    case 'copy':
      return addCopy(scope, command, planned);
    case 'workdir':
      return addWorkdir(scope, { ...command, kind: 'workdir' }, planned);
    case 'arg':
      return applyArg(scope, command);
    case 'env':
    case 'label':
      return applyPairs(scope, command);
    case 'maintainer':
    case 'stopsignal':
    case 'user':
      return applyText(scope, command);
    case 'expose':
    case 'shell':
    case 'volume':
      return applyList(scope, command);
    case 'cmd':
    case 'entrypoint':
      return applyProcess(scope, command);
    case 'healthcheck':
      return applyHealthcheck(scope, command.check);
    case 'onbuild':
      // Kept as text, without a word in the history.
      scope.state.config.OnBuild = [...(scope.state.config.OnBuild ?? []), command.expression];
  }
}

function addWorkdir(scope: Scope, { value, line, range }: TextCommand, { triggered }: PlannedCommand): void {
  const { builder, state } = scope;
  const { escape } = builder.plan.ast;
  const path = joinWorkdir(state.config.WorkingDir ?? '/', expandText(value, state.env, { escape }).toWellFormed());
  state.config.WorkingDir = path;
  if (path === '/') {
    commit(state, { createdBy: `WORKDIR ${path}` });
    return;
  }
  const title = stepTitle(scope, line, { escape, triggered });
  const step = addStep(builder, {
    kind: 'workdir',
    ...stepBase(scope, title, range),
    input: state.tip,
    path,
    user: state.config.User ?? '',
  });
  commit(state, { createdBy: `WORKDIR ${path}`, step });
}

function imageOf(state: StageState, inputs: BuildInputs): ImageDraft {
  const { author, config, history } = state;
  const labels = { ...config.Labels, ...inputs.labels };
  return {
    platform: platformOf(state, inputs),
    ...(author === undefined || author === '' ? {} : { author }),
    config: Object.keys(labels).length === 0 ? config : { ...config, Labels: labels },
    history,
  };
}

/**
 * What the image is for: what was asked for, its base filling in the details. A stage that was pinned to another platform
 * (`FROM --platform`) is for that one, unless another than the machine's own was asked for.
 */
function platformOf(
  { platform, platformFixed }: StageState,
  { platform: wanted, buildPlatform }: BuildInputs,
): Platform {
  const asked = normalizePlatform(wanted);
  const build = normalizePlatform(buildPlatform);
  const sameProcessor = asked.os === platform.os && asked.architecture === platform.architecture;
  if (sameProcessor) return { ...platform, ...asked };
  const implicit = asked.os === build.os && asked.architecture === build.architecture;
  return platformFixed && implicit ? platform : asked;
}
