import { posix } from 'node:path';
import { DockerfileError, inPart } from '../error.ts';
import type { RunMount, RunStep } from '../graph.ts';
import { parseHeredoc } from '../heredoc.ts';
import type { InlineFile, RunCommand } from '../instructions/command.ts';
import { type Mount, parseMount } from '../instructions/mount.ts';
import { quote } from '../quote.ts';
import { addStep, expandIn, type Scope, stepBase, stepTitle, treeSource } from './builder.ts';
import { mapEntry } from './budget.ts';
import { checkInlineName } from './inline-name.ts';
import { cleanPath } from './paths.ts';
import type { PlannedCommand } from './plan.ts';
import { commit, withShell, workdirOf } from './stage-state.ts';
import { buildArg } from './variables.ts';

/** Adds the step of a RUN. */
export function addRun(scope: Scope, command: RunCommand, { sources, triggered }: PlannedCommand): void {
  const { builder, state } = scope;
  const { escape } = builder.plan.ast;
  const script = scriptOf(scope, command);
  const expandValue = (value: string) => expandIn(scope, value);
  const mounts = command.mounts.map(({ text, flag }) => inPart({ flag }, () => parseMount(text, expandValue)));
  const title = stepTitle(scope, command.line, {
    escape,
    quotes: 'keep',
    keepUnset: true,
    triggered,
    suffix: script.summary,
    variables: withMaskedSecrets(scope, mounts),
  });
  const runMounts = mounts.map((mount, index) =>
    inPart({ flag: command.mounts[index]?.flag ?? 0 }, () => runMount(scope, mount, sources[index])),
  );
  for (const device of command.devices) {
    const message = `--device=${device} is not supported and has no effect`;
    builder.warnings.push({ message, line: command.range.start });
  }
  builder.budget.spend((state.env.size + state.args.size) * mapEntry);
  const step = addStep(builder, {
    kind: 'run',
    ...stepBase(scope, title, command.range),
    input: state.tip,
    args: script.args,
    env: [...state.env].map(([name, value]) => `${name}=${value}`),
    proxyEnv: [...builder.proxies].flatMap(([name, value]) => (state.env.has(name) ? [] : [`${name}=${value}`])),
    user: state.config.User ?? '',
    cwd: workdirOf(state),
    network: command.network,
    security: command.security,
    mounts: runMounts,
    pipes: script.pipes,
  });
  commit(state, { createdBy: `RUN ${commandText(scope, script.args)} # buildkit`, step });
}

interface Script {
  readonly args: readonly string[];
  readonly pipes: RunStep['pipes'];
  /** What the title shows of a lone heredoc. */
  readonly summary: string;
}

function scriptOf({ state }: Scope, { command, files }: RunCommand): Script {
  const text = command.args.join(' ');
  if (!command.shell) {
    if (command.args.length === 0) throw new DockerfileError('INVALID_ARGUMENT', 'RUN requires a command');
    return { args: command.args.map((arg) => arg.toWellFormed()), pipes: [], summary: '' };
  }
  const [file] = files;
  if (file === undefined) return { args: shell(text), pipes: [], summary: '' };
  if (parseHeredoc(text) === undefined) {
    // Its shell reads the heredocs itself.
    const whole = [text, ...files.map(({ written, name }) => written + name)].join('\n');
    return { args: shell(whole), pipes: [], summary: '' };
  }
  const summary = ` (${summarize(file)})`;
  if (state.platform.os === 'windows' || !file.content.startsWith('#!')) {
    return { args: shell(file.content), pipes: [], summary };
  }
  const name = checkInlineName(file.name);
  return { args: shell(`/dev/pipes/${name}`), pipes: [{ name, content: file.content }], summary };

  function shell(line: string): string[] {
    return withShell(state, line.toWellFormed());
  }
}

function summarize({ written }: InlineFile): string {
  const [first = '', ...more] = written.trim().split(/\r?\n/);
  return more.length > 0 ? `${first}...` : first;
}

/** The words of history: `|2 A=1 B=2 /bin/sh -c make`. */
function commandText({ state }: Scope, args: readonly string[]): string {
  const declared = [...state.args].map(([name, value]) => `${name}=${state.env.get(name) ?? value ?? ''}`);
  const prefix = declared.length === 0 ? [] : [`|${declared.length}`, ...declared];
  return [...prefix, ...args].join(' ');
}

function withMaskedSecrets({ state }: Scope, mounts: readonly Mount[]): ReadonlyMap<string, string> {
  const names = mounts.flatMap(({ type, env }) => (type === 'secret' && env !== undefined ? [env] : []));
  return names.length === 0 ? state.env : new Map([...state.env, ...names.map((name) => [name, '****'] as const)]);
}

function runMount(scope: Scope, mount: Mount, source: PlannedCommand['sources'][number]): RunMount {
  switch (mount.type) {
    case 'bind':
      return {
        type: 'bind',
        from: mountTree(scope, mount, source),
        source: cleanPath(`/${mount.source}`),
        target: targetPath(scope, mount.target),
        readWrite: !mount.readOnly,
      };
    case 'cache':
      return cacheMount(scope, mount, source);
    case 'tmpfs':
      return {
        type: 'tmpfs',
        target: targetPath(scope, mount.target),
        ...(mount.size === undefined ? {} : { size: mount.size }),
      };
    case 'secret':
    case 'ssh':
      return credentialMount(scope, mount, mount.type);
  }
}

function cacheMount(scope: Scope, mount: Mount, source: PlannedCommand['sources'][number]): RunMount {
  const namespace = buildArg(scope.builder.plan.inputs, 'BUILDKIT_CACHE_MOUNT_NS') ?? '';
  const id = mount.id === '' ? cleanPath(mount.target === '' ? '.' : mount.target) : mount.id;
  return {
    type: 'cache',
    id: namespace === '' ? id : `${namespace}/${id}`,
    target: targetPath(scope, mount.target),
    readOnly: mount.readOnly,
    sharing: mount.sharing ?? 'shared',
    ...(mount.from === '' ? {} : { from: mountTree(scope, mount, source) }),
    ...(mount.source === '' ? {} : { source: cleanPath(`/${mount.source}`) }),
    ...owner(mount),
  };
}

function credentialMount(scope: Scope, mount: Mount, type: 'secret' | 'ssh'): RunMount {
  const named = mount.source === '' ? mount.id : mount.source;
  const id = named !== '' ? named : type === 'ssh' ? 'default' : posix.basename(mount.target);
  const asFile = type === 'secret' && mount.env === undefined;
  const target = mount.target === '' && asFile ? `/run/secrets/${posix.basename(id)}` : mount.target;
  return {
    type,
    id,
    // Not below WORKDIR, which BuildKit does not heed here.
    ...(target === '' ? {} : { target: targetPath(scope, `/${target}`) }),
    ...(mount.env === undefined ? {} : { env: mount.env === '' ? id : mount.env }),
    required: mount.required,
    ...owner(mount),
  };
}

function owner({ mode, uid, gid }: Mount): { mode?: number; uid?: number; gid?: number } {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

function mountTree(scope: Scope, mount: Mount, source: PlannedCommand['sources'][number]) {
  return treeSource(
    scope,
    source,
    (label) =>
      `cannot mount from stage ${quote(label)} to ${quote(mount.target)}, stage needs to be defined before current command`,
  );
}

function targetPath({ state }: Scope, target: string): string {
  const path = cleanPath(target.startsWith('/') ? target : `${workdirOf(state)}/${target}`);
  if (path === '/') throw new DockerfileError('INVALID_FLAG', 'invalid mount target "/"');
  return path;
}
