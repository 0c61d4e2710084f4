import { DockerfileError, inPart } from '../error.ts';
import { expand } from '../expand.ts';
import type {
  ArgCommand,
  CommandLine,
  EnvCommand,
  HealthcheckCommand,
  KeyValue,
  ListCommand,
  ProcessCommand,
  TextCommand,
} from '../instructions/command.ts';
import { formatDuration } from '../instructions/duration.ts';
import { quoteList } from '../quote.ts';
import { buildkitRules } from '../checks/buildkit-rules.ts';
import { isSecretName } from '../checks/secret-name.ts';
import { expandIn, report, type Scope } from './builder.ts';
import { parsePorts, type PortSpec } from './ports.ts';
import { checkSignal } from './signals.ts';
import { commit, setEnv, type StageState, withShell } from './stage-state.ts';
import { buildArg, builderArguments } from './variables.ts';

/** ENV and LABEL. All pairs are expanded with the state before the line. */
export function applyPairs(scope: Scope, { kind, name, pairs }: EnvCommand): void {
  const { state } = scope;
  const expanded = pairs.map(
    (pair): KeyValue => ({ ...pair, key: expandIn(scope, pair.key), value: expandIn(scope, pair.value) }),
  );
  for (const { key, old } of expanded) {
    if (old) checkOldForm(scope, name);
    if (kind === 'env') checkSecret(scope, 'ENV', key);
  }
  if (kind === 'label') {
    for (const { key, value } of expanded) state.labels.set(key, value);
  } else {
    for (const { key, value } of expanded) {
      state.env.set(key, value);
      setEnv(state, key, value);
    }
  }
  commit(state, { createdBy: [kind.toUpperCase(), ...expanded.map(({ key, value }) => `${key}=${value}`)].join(' ') });
}

function checkOldForm(scope: Scope, name: string): void {
  const rule = buildkitRules.LegacyKeyValueFormat;
  report(scope, rule, rule.message(name));
}

function checkSecret(scope: Scope, keyword: string, key: string): void {
  const rule = buildkitRules.SecretsUsedInArgOrEnv;
  if (isSecretName(key)) report(scope, rule, rule.message(keyword, key), { text: key });
}

/** ARG: evaluated from left to right; --build-arg beats the default, and a global ARG what has none. */
export function applyArg(scope: Scope, { args }: ArgCommand): void {
  const { builder, state } = scope;
  const { inputs, globals } = builder.plan;
  const shown = args.map((arg) => {
    const { key, value } = arg;
    checkSecret(scope, 'ARG', key);
    const actual = buildArg(inputs, key) ?? (value === undefined ? globals.get(key) : expandIn(scope, value));
    if (actual !== undefined && !builderArguments.has(key)) state.env.set(key, actual);
    state.args.set(key, actual);
    builder.argValues.set(arg, actual);
    return actual === undefined ? key : `${key}=${actual}`;
  });
  commit(state, { createdBy: `ARG ${shown.join(' ')}` });
}

/** MAINTAINER, STOPSIGNAL and USER. */
export function applyText(scope: Scope, { kind, value: written }: TextCommand): void {
  const { state } = scope;
  const value = kind === 'maintainer' ? written.toWellFormed() : expandIn(scope, written);
  if (kind === 'maintainer') state.author = value;
  else if (kind === 'user') state.config.User = value;
  else {
    inPart({ arg: 0 }, () => checkSignal(value));
    state.config.StopSignal = value;
  }
  commit(state, { createdBy: `${kind.toUpperCase()} ${value}` });
}

/** EXPOSE, SHELL and VOLUME. */
export function applyList(scope: Scope, { kind, values }: ListCommand): void {
  const { state } = scope;
  const shown = listOf(scope, kind, values);
  const { config } = state;
  if (kind === 'shell') config.Shell = shown;
  else {
    // Filled in and sorted once the stage is done.
    const member = kind === 'expose' ? 'ExposedPorts' : 'Volumes';
    config[member] = [];
    const known = kind === 'expose' ? state.ports : state.volumes;
    for (const each of shown) known.add(each);
  }
  commit(state, { createdBy: `${kind.toUpperCase()} [${shown.join(' ')}]` });
}

function listOf(scope: Scope, kind: ListCommand['kind'], values: readonly string[]): string[] {
  if (kind === 'shell') return values.map((value) => value.toWellFormed());
  if (kind === 'expose') {
    const ports: string[] = [];
    for (const word of values.flatMap((value) => wordsOf(scope, value))) {
      const spec = inPart({ text: word }, () => parsePorts(word));
      checkPort(scope, word, spec);
      for (const port of spec.ports) ports.push(port);
      // There are no more; a line that repeats ranges must not fill the memory.
      if (ports.length > 3 * 65536)
        throw new DockerfileError('INVALID_ARGUMENT', 'EXPOSE names more ports than there are');
    }
    return ports;
  }
  return values.map((value) => {
    const volume = expandIn(scope, value);
    if (volume === '') throw new DockerfileError('INVALID_ARGUMENT', 'VOLUME specified can not be an empty string');
    return volume;
  });
}

function wordsOf({ state, builder }: Scope, value: string): readonly string[] {
  const { text, words } = expand(value, state.env, { escape: builder.plan.ast.escape });
  builder.budget.spend(text.length);
  return words;
}

function checkPort(scope: Scope, word: string, { protocol, published }: PortSpec): void {
  const found = [
    ...(protocol === protocol.toLowerCase() ? [] : [buildkitRules.ExposeProtoCasing]),
    ...(published ? [buildkitRules.ExposeInvalidFormat] : []),
  ];
  for (const rule of found) report(scope, rule, rule.message(word), { text: word });
}

/** CMD and ENTRYPOINT. */
export function applyProcess(scope: Scope, { kind, name, command }: ProcessCommand): void {
  const { state } = scope;
  checkOnce(scope, kind, name);
  if (command.shell && (state.config.Shell ?? []).length === 0) {
    const rule = buildkitRules.JSONArgsRecommended;
    report(scope, rule, rule.message(name));
  }
  const args = argvOf(state, command);
  const { config } = state;
  if (kind === 'cmd') {
    replace(config, 'Cmd', args);
    config.ArgsEscaped = true;
    state.commandSet = true;
  } else {
    replace(config, 'Entrypoint', args);
    // An inherited CMD was meant for another entrypoint.
    if (!state.commandSet) delete config.Cmd;
  }
  commit(state, { createdBy: `${kind.toUpperCase()} ${quoteList(args)}` });
}

function argvOf(state: StageState, { shell, args }: CommandLine): string[] {
  const words = args.map((arg) => arg.toWellFormed());
  return shell ? withShell(state, words.join(' ')) : words;
}

function replace(config: StageState['config'], member: 'Cmd' | 'Entrypoint', args: readonly string[]): void {
  if (args.length === 0) delete config[member];
  else config[member] = args;
}

export function applyHealthcheck(scope: Scope, { name, kind, check }: HealthcheckCommand): void {
  const { state } = scope;
  checkOnce(scope, kind, name);
  state.config.Healthcheck = check;
  const { Test = [], Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = check;
  const times = Object.entries({ Interval, Timeout, StartPeriod, StartInterval }).map(
    ([name, time]) => `${name}:${formatDuration(time)}`,
  );
  commit(state, { createdBy: `HEALTHCHECK {Test:[${Test.join(' ')}] ${times.join(' ')} Retries:${Retries}}` });
}

/** Of several only the last one counts; the one before it is reported. */
function checkOnce({ builder, current, last }: Scope, kind: string, name: string): void {
  const before = last.get(kind);
  last.set(kind, current);
  if (before === undefined) return;
  const rule = buildkitRules.MultipleInstructionsDisallowed;
  builder.reporter.report({ rule, message: rule.message(name), ...before, comments: current.comments });
}
