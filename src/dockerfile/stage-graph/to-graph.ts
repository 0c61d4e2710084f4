import { formatPlatform, type ImageConfig, normalizePlatform, type Platform } from '../../oci/index.ts';
import type { Ast } from '../ast.ts';
import { type BuildInputs, needKey, type ResolvedConfigs } from '../contract.ts';
import { DockerfileError } from '../error.ts';
import { at, placeIn } from '../place.ts';
import { buildkitRules } from '../checks/buildkit-rules.ts';
import { checkConfigOf } from '../checks/check-config.ts';
import { Findings, type Reporter } from '../checks/reporter.ts';
import type { GraphWarning, ImageDraft, SourceRange, StepGraph } from '../graph.ts';
import { createIgnoreMatcher } from '../ignore.ts';
import type { TextCommand } from '../instructions/command.ts';
import {
  addStep,
  type Builder,
  type Here,
  expandIn,
  imageStep,
  report,
  type Scope,
  stepBase,
  stepTitle,
  titlePrefix,
} from './builder.ts';
import { applyArg, applyHealthcheck, applyList, applyPairs, applyProcess, applyText } from './config-commands.ts';
import { addCopy } from './copy-step.ts';
import { Budget } from './budget.ts';
import { joinWorkdir } from './paths.ts';
import type { ImageBase, PlannedCommand, PlannedStage } from './plan.ts';
import { reach, type Reach } from './reach.ts';
import { addRun } from './run-step.ts';
import {
  commit,
  derivedState,
  emptyState,
  imageState,
  inheritedSize,
  isEmptyImage,
  type StageState,
  workdirOf,
} from './stage-state.ts';
import { proxyVariables } from './variables.ts';

/**
 * The steps that make the target, and its image. Pure: the same arguments give the same graph.
 * @throws DockerfileError; MISSING_CONFIG where `needs` still asks for something, CHECK_FAILED where the file itself says
 * that findings are errors
 */
export function toGraph(ast: Ast, inputs: BuildInputs, configs: ResolvedConfigs): StepGraph {
  const findings = new Findings();
  findings.configure(checkConfigOf(ast, inputs));
  const reached = reach(ast, inputs, configs, { reporter: findings });
  const [need] = reached.needs;
  if (need !== undefined) {
    throw new DockerfileError('MISSING_CONFIG', `the config of ${needKey(need)} is not known`);
  }
  const builder = buildStages(reached, { configs, reporter: findings });
  const target = builder.states.get(reached.plan.target.index);
  if (target === undefined) throw new Error('the target is always reachable');
  failOnFindings(findings);
  return {
    version: 1,
    target: target.tip,
    steps: builder.steps,
    image: imageOf(target, inputs),
    ...(reached.plan.epoch === undefined ? {} : { epoch: reached.plan.epoch }),
    warnings: [...syntaxNote(ast), ...builder.warnings, ...warningsOf(findings)],
  };
}

export interface StageOptions {
  readonly configs: ResolvedConfigs;
  readonly reporter: Reporter;
  /** Images whose configs only stand in for ones that are not known, by needKey. */
  readonly unknown?: ReadonlySet<string>;
}

/** Carries out the stages that are reached, in the order of the file. */
export function buildStages(
  { plan, stages }: Reach,
  { configs, reporter, unknown = new Set() }: StageOptions,
): Builder {
  const builder: Builder = {
    plan,
    configs,
    proxies: proxyVariables(plan.inputs),
    steps: [],
    warnings: [],
    images: new Map(),
    states: new Map(),
    argValues: new Map(),
    reporter,
    budget: new Budget(),
    unknown,
    ignored: reporter.listens ? ignoredFiles(plan.inputs.ignore ?? []) : undefined,
  };
  for (const stage of stages) builder.states.set(stage.index, buildStage(builder, stage));
  return builder;
}

/** Of paths with patterns of .dockerignore. */
const mostComparisons = 50_000_000;

function ignoredFiles(patterns: readonly string[]): Builder['ignored'] {
  if (patterns.length === 0 || patterns.some((pattern) => pattern.startsWith('!'))) return undefined;
  let questions = mostComparisons / patterns.length;
  return {
    matcher: createIgnoreMatcher(patterns),
    all: patterns.some((pattern) => pattern === '*' || pattern === '**' || pattern === '**/*'),
    mayAsk: () => questions-- > 0,
  };
}

/** @throws DockerfileError CHECK_FAILED */
function failOnFindings({ config, rules }: Findings): void {
  if (!config.error || rules.length === 0) return;
  throw new DockerfileError('CHECK_FAILED', `lint violation found for rules: ${rules.join(', ')}`, {
    hint: 'the file says # check=error=true; slipway check shows what was found where',
  });
}

function warningsOf({ drafts }: Findings): GraphWarning[] {
  return drafts
    .map(({ rule, message, range }) => ({ message, line: range.start, rule: rule.name }))
    .toSorted((a, b) => a.line - b.line);
}

function syntaxNote({ directives }: Ast): GraphWarning[] {
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
    at(placeIn(ast, range, planned.triggered ? 'trigger' : 'build'), () => {
      dispatch({ ...scope, current: hereOf(planned, range) }, { ...planned, command });
      builder.budget.spend(scope.state.history.at(-1)?.createdBy?.length ?? 0);
    });
  }
  sortLists(scope.state);
  return scope.state;
}

/** Those that the stage has added to were left empty. */
function sortLists({ config, ports, volumes }: StageState): void {
  if (config.ExposedPorts?.length === 0) config.ExposedPorts = [...ports].toSorted();
  if (config.Volumes?.length === 0) config.Volumes = [...volumes].toSorted();
}

function hereOf({ command, triggered }: PlannedCommand, range: SourceRange): Here {
  return { range, comments: command.comments, triggered };
}

function openStage(builder: Builder, stage: PlannedStage): Scope {
  const { base, commands } = stage;
  const counted = commands.filter(({ command }) => ['add', 'copy', 'run', 'workdir'].includes(command.kind)).length;
  const outside = base.kind === 'image' || base.kind === 'tree';
  const counter = { done: 0, total: counted + (outside ? 1 : 0) };
  const state = emptyState(builder.plan.inputs.platform);
  const scope: Scope = {
    builder,
    stage,
    counter,
    state,
    current: { range: stage.range, comments: stage.comments, triggered: false },
    last: new Map(),
  };
  switch (base.kind) {
    case 'scratch':
      return scope;
    case 'stage': {
      const from = builder.states.get(base.index);
      if (from === undefined) throw new Error('a base comes before what is built on it');
      builder.budget.spend(inheritedSize(from));
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
      const envKnown = !builder.unknown.has(needKey(base));
      if (envKnown) checkBasePlatform(scope, base, config);
      return { ...scope, state: { ...imageState(config, tip), platformFixed: base.fixed, envKnown } };
    }
  }
}

function checkBasePlatform(
  scope: Scope,
  { name, platform: expected }: ImageBase,
  { platform: actual }: ImageConfig,
): void {
  if (expected.os === actual.os && expected.architecture === actual.architecture) return;
  const rule = buildkitRules.InvalidBaseImagePlatform;
  report(
    scope,
    rule,
    rule.message(name, formatPlatform(normalizePlatform(expected)), formatPlatform(normalizePlatform(actual))),
  );
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
      return applyHealthcheck(scope, command);
    case 'onbuild':
      // Kept as text, without a word in the history.
      scope.state.config.OnBuild ??= [];
      scope.state.config.OnBuild.push(command.expression);
  }
}

function addWorkdir(scope: Scope, { value, line, range }: TextCommand, { triggered }: PlannedCommand): void {
  const { builder, state } = scope;
  const { escape } = builder.plan.ast;
  const given = expandIn(scope, value);
  checkWorkdir(scope, given);
  const path = joinWorkdir(workdirOf(state), given);
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

/** Only the first one of a file depends on its base. */
function checkWorkdir(scope: Scope, path: string): void {
  const { state } = scope;
  const absolute = state.platform.os === 'windows' ? /^(?:[a-z]:)?[\\/]/i.test(path) : path.startsWith('/');
  const rule = buildkitRules.WorkdirRelativePath;
  if (!state.workdirSet && !absolute) report(scope, rule, rule.message(path), { arg: 0 });
  state.workdirSet = true;
}

function imageOf(state: StageState, inputs: BuildInputs): ImageDraft {
  const { author, config, history } = state;
  const labels = { ...Object.fromEntries(state.labels), ...inputs.labels };
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
