import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf } from '../../../errors.ts';
import { findExecutable, minimalEnvironment, run } from '../../../system/index.ts';
import { BuildError } from '../../error.ts';

/** One run of git, away from everything that this machine's user has configured. */
export interface GitRun {
  readonly cwd?: string | undefined;
  /** Further variables, such as GIT_DIR. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Settings, given through the environment: a command line is shown to everyone on this machine. */
  readonly config?: readonly GitSetting[] | undefined;
  /** What git may connect by (GIT_ALLOW_PROTOCOL), `:` between them; nothing unless given. `file` and `ext` never belong here. */
  readonly protocols?: string | undefined;
  /** Milliseconds without a sign of life after which it is killed; no limit unless given. */
  readonly idleLimit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type GitSetting = readonly [name: string, value: string];

/** A run that failed, with what git said: texts of ours know which failures can be mended. */
export class GitFailure extends BuildError {
  readonly stderr: string;
  constructor(message: string, stderr: string) {
    super('GIT_FAILED', message, { details: lastLines(stderr) });
    this.stderr = stderr;
  }
}

/**
 * Kills the whole group once the pipe on standard input closes, as it does when we end, however we end: git's own helpers would wait
 * on for a silent server.
 */
const wrapper = 'umask 022; exec 3<&0 </dev/null; (read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 & exec 3<&-; exec "$@"';

const mostOutput = 16 << 20; // bytes
const longestLine = 500; // characters of what a server made git say

/**
 * Settings that no repository may change: no program of its own (hooks, monitors, filters, helpers), no work in the background, files
 * as they are.
 */
const settings: readonly GitSetting[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.askPass', ''],
  ['credential.helper', ''],
  ['core.autocrlf', 'false'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['core.symlinks', 'true'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['protocol.version', '2'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['init.defaultBranch', 'main'],
  ['advice.detachedHead', 'false'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '60'],
];

/** What of our environment git needs to reach servers at all. */
const passedOn: readonly string[] = [
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
];

/**
 * Runs git and gives its output. It has no home, no configuration but ours, nobody to ask, and a mask under which files get the
 * modes 644 and 755. Aborting kills it with all that it started.
 * @throws BuildError GIT_MISSING, GIT_FAILED
 */
export async function runGit(args: readonly string[], run: GitRun = {}): Promise<string> {
  run.signal?.throwIfAborted();
  const git = findExecutable('git');
  if (git === undefined) {
    throw new BuildError('GIT_MISSING', 'git is not installed, and this build reads a git repository', {
      hint: 'install git, or give the repository as a folder',
    });
  }
  await requireVersion(git);
  // In a process group of its own: git starts others, which must end with it.
  const child = spawn('/bin/sh', ['-c', wrapper, 'git', git, ...args], {
    cwd: run.cwd,
    env: environment(run),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const { code, stdout, stderr } = await finished(child, run);
  if (code === 0) return stdout;
  const said = withoutAuthorization(stderr, run.config ?? []);
  throw new GitFailure(`git ${args.find((word) => !word.startsWith('-')) ?? ''} failed`, said);
}

/** A server that refuses us may repeat what it was sent; git passes its words on. */
function withoutAuthorization(text: string, config: readonly GitSetting[]): string {
  const headers = config.flatMap(([name, value]) => (name.endsWith('.extraHeader') ? [value] : []));
  const words = headers.flatMap((header) => {
    const word = header.slice(header.lastIndexOf(' ') + 1);
    const plain = Buffer.from(word, 'base64').toString();
    return [word, plain, plain.slice(plain.indexOf(':') + 1)];
  });
  return words.filter((word) => word.length >= 4).reduce((rest, word) => rest.replaceAll(word, '***'), text);
}

const versions = new Map<string, Promise<void>>();

/** An older git knows no settings from the environment: it would go on without what protects us, and without what lets us in. */
function requireVersion(git: string): Promise<void> {
  const known = versions.get(git);
  if (known !== undefined) return known;
  const asked = run(git, ['version']).then(({ stdout }) => {
    const [text, major, minor] = /^git version (\d+)\.(\d+)/.exec(stdout.toString()) ?? [];
    if (text !== undefined && (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 31))) return;
    throw new BuildError('GIT_MISSING', `${git} is too old for this build, which reads a git repository`, {
      hint: 'git 2.31 or newer is needed',
    });
  });
  versions.set(git, asked);
  return asked;
}

function environment({ env, config = [], protocols = '' }: GitRun): Readonly<Record<string, string>> {
  const all = [...settings, ...config];
  const numbered = all.flatMap(([name, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, name],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  const passed = passedOn.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  return minimalEnvironment({
    ...(Object.fromEntries(passed) as Record<string, string>),
    HOME: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: protocols === '' ? 'none' : protocols,
    GIT_CONFIG_COUNT: String(all.length),
    ...(Object.fromEntries(numbered) as Record<string, string>),
    ...env,
  });
}

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function finished(child: ChildProcess, { signal, idleLimit }: GitRun): Promise<Finished> {
  const { promise, resolve, reject } = Promise.withResolvers<Finished>();
  const kill = (reason: unknown): void => {
    reject(reason);
    killGroup(child);
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const still = (): void =>
    kill(new BuildError('GIT_FAILED', `git: nothing came for ${(idleLimit ?? 0) / 1000} s`, { hint: 'try again' }));
  const timer = idleLimit === undefined ? undefined : setTimeout(still, idleLimit);
  const alive = (): void => {
    timer?.refresh();
  };
  const collect = (stream: NodeJS.ReadableStream | null): readonly Buffer[] => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream?.on('data', (chunk: Buffer) => {
      alive();
      size += chunk.length;
      if (size > mostOutput) kill(new BuildError('GIT_FAILED', `git wrote more than ${mostOutput} bytes`));
      else chunks.push(chunk);
    });
    return chunks;
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const onAbort = (): void => kill(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  child.once('error', (cause) =>
    reject(new BuildError('GIT_FAILED', `cannot run git: ${messageOf(cause)}`, { cause })),
  );
  child.once('close', (code) =>
    resolve({ code: code ?? 1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
  );
  return promise.finally(() => {
    child.stdin?.destroy();
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

/** What git says at the end, for people: without its progress, and without what a terminal would act on. */
function lastLines(stderr: string): string[] {
  const lines = stderr
    .split('\n')
    .map((line) =>
      line
        .slice(line.lastIndexOf('\r', line.length - 2) + 1)
        .replace(/\p{Cc}/gu, '')
        .slice(0, longestLine),
    )
    .filter((line) => line.trim() !== '');
  return lines.slice(-10);
}
