import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findExecutable } from '../../system/index.ts';
import type { ExitStatus, RunOptions } from '../contract.ts';
import { ContainerError } from '../error.ts';
import type { PreparedContainer } from '../prepare.ts';
import { killSandbox, recordInit } from '../init-record.ts';
import { forgetOwnParent, makeLimitCgroup } from '../limit-cgroup.ts';
import { needsCgroup } from '../limits.ts';
import { ranOutOfMemory, removeCgroups } from '../runc/cgroups.ts';
import { abortedError, ownerOfOutput, supervise, whenAborted } from '../supervise.ts';
import { describeStartFailure, errnoName } from './execution.ts';
import { sandboxMachine } from './machine.ts';
import { recordScript, type Script, started } from './script.ts';

/** Tries that a file just written may take to be executable: see `textBusy`. */
const mostTries = 20;

/**
 * Runs a prepared container without a runtime: unshare(1) makes the namespaces, and an executable written for this one step
 * (`Tape`) makes the mounts in them and becomes the step's program. So a step costs one process start, and SIGKILL leaves
 * nothing.
 * @throws ContainerError RUNTIME_FAILED, ISOLATION_UNAVAILABLE, ABORTED
 */
export async function runSandbox(container: PreparedContainer, options: RunOptions): Promise<ExitStatus> {
  const machine = sandboxMachine();
  const unshare = findExecutable('unshare');
  if (machine === undefined || unshare === undefined) {
    throw new ContainerError('ISOLATION_UNAVAILABLE', 'the sandbox needs unshare of util-linux on x64 or arm64');
  }
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', ...(container.spec.network === 'none' ? ['--net'] : [])];
  const launch = [unshare, ...namespaces, '--fork', '--kill-child=SIGKILL'] as const;
  await using limited = new LimitedStep(container);
  const script = recordScript(container, { privileges: options.privileges, machine, entrances: limited.entrances });
  const attempts = new Attempts(container, script.tape.executable());
  try {
    for (;;) {
      const end = await play([...launch, attempts.file], { script, container, options });
      if (end.started) return limited.explain(end.status);
      if (!(await attempts.next(end.stderr))) throw notStarted(end.stderr);
    }
  } finally {
    attempts.clean();
  }
}

/** In the bundle of a step that has cgroups of its own. */
export const limitedMark = 'limited';

/** The cgroups of a step with limits. Noted in the bundle before they are made, for whoever has to clear them away. */
class LimitedStep implements AsyncDisposable {
  readonly entrances: readonly string[] = [];
  readonly #id: string;

  constructor({ spec }: PreparedContainer) {
    this.#id = spec.id;
    const limits = spec.confinement?.limits;
    if (limits === undefined || !needsCgroup(limits)) return;
    writeFileSync(join(spec.bundle, limitedMark), '');
    this.entrances = makeLimitCgroup(spec.id, limits).entrances;
  }

  explain(status: ExitStatus): ExitStatus {
    if (this.entrances.length === 0 || status.code === 0) return status;
    return ranOutOfMemory(this.#id) ? { ...status, outOfMemory: true } : status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.entrances.length === 0) return;
    await removeCgroups(this.#id);
    forgetOwnParent();
  }
}

interface Play {
  readonly script: Script;
  readonly container: PreparedContainer;
  readonly options: RunOptions;
}

type PlayEnd =
  | { readonly started: true; readonly status: ExitStatus }
  | { readonly started: false; readonly stderr: string };

async function play(
  argv: readonly [file: string, ...args: string[]],
  { script, container, options }: Play,
): Promise<PlayEnd> {
  const { bundle, interaction } = container.spec;
  let report = Buffer.alloc(0);
  let errors = '';
  const runtime = supervise(argv, {
    onOutput: (stream, chunk) => options.onOutput(stream, chunk),
    owner: ownerOfOutput(container, options.privileges),
    interaction,
    channels: {
      onReport: (chunk) => {
        if (report.length === 0) recordInit(bundle, runtime.process.pid);
        report = Buffer.concat([report, chunk]);
      },
      onLauncherError: (chunk) => {
        errors += chunk.toString();
      },
    },
  });
  using _ = whenAborted(options.signal, () => killSandbox(runtime.process));
  const status = await runtime.ended;
  if (options.signal?.aborted === true) throw abortedError(options.signal);
  if (report.length === 0) return { started: false, stderr: errors };
  if (report.length > started.length) {
    return { started: true, status: startFailed(report.subarray(started.length), { script, container, options }) };
  }
  return { started: true, status: errors.includes(cannotDieAlike) ? killed : status };
}

/**
 * When the step's process is killed by a signal, unshare ends itself by the same one; before util-linux 2.39 it fails in that
 * for the one signal whose handling cannot be set.
 */
const cannotDieAlike = 'sigprocmask unblock failed';
const killed: ExitStatus = { code: 137, signal: 'SIGKILL' };

/** The tape could not be played to its end. */
function startFailed(report: Buffer, { script, container, options }: Play): ExitStatus {
  const failure = script.tape.failure(report);
  if (failure.index < script.execution) {
    throw new ContainerError('RUNTIME_FAILED', `cannot ${failure.purpose}: ${errnoName(failure.errno)}`);
  }
  const { code, message } = describeStartFailure(failure, container.spec.args[0] ?? '');
  options.onOutput('stderr', Buffer.from(`${message}\n`));
  return { code };
}

/** Where the executable is tried: the bundle may lie on a file system that allows none (noexec). */
class Attempts {
  file: string;
  readonly #bytes: Buffer;
  readonly #others: string[];
  readonly #made: string[] = [];
  #tries = 0;

  constructor({ spec, launchFolder }: PreparedContainer, bytes: Buffer) {
    this.#bytes = bytes;
    // In memory of its own it can be executed, and it must be nowhere else.
    this.#others = launchFolder === spec.bundle ? ['/dev/shm', tmpdir()] : [];
    this.file = this.#write(launchFolder);
  }

  /** False: there is no use in trying again. */
  async next(stderr: string): Promise<boolean> {
    if (!stderr.includes('failed to execute')) return false;
    if (stderr.includes(textBusy) && ++this.#tries < mostTries) {
      await new Promise((resolve) => setTimeout(resolve, this.#tries));
      return true;
    }
    const folder = this.#others.shift();
    if (folder === undefined || !stderr.includes('Permission denied')) return false;
    const own = mkdtempSync(join(folder, 'slipway-'));
    this.#made.push(own);
    this.file = this.#write(own);
    return true;
  }

  clean(): void {
    for (const path of this.#made) rmSync(path, { recursive: true, force: true });
  }

  #write(folder: string): string {
    const file = join(folder, 'tape');
    rmSync(file, { force: true });
    writeFileSync(file, this.#bytes, { flag: 'wx', mode: 0o700 });
    chmodSync(file, 0o700);
    this.#made.push(file);
    return file;
  }
}

/** Another thread's child may hold the file open for writing from its fork to its exec. */
const textBusy = 'Text file busy';

function notStarted(stderr: string): ContainerError {
  const details = stderr.trimEnd().split('\n').slice(-5);
  return new ContainerError('ISOLATION_UNAVAILABLE', 'the sandbox could not be started', { details });
}
