import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable, run } from '../../system/index.ts';
import type { ExitStatus, RunOptions } from '../contract.ts';
import { ContainerError } from '../error.ts';
import type { PreparedContainer } from '../prepare.ts';
import { sandboxMachine } from '../sandbox/machine.ts';
import { abortedError, ownerOfOutput, supervise, whenAborted } from '../supervise.ts';
import { needsCgroup } from '../limits.ts';
import { ranOutOfMemory, removeCgroups } from './cgroups.ts';
import { serializeSpec } from './resources.ts';
import { runtimeSpec } from './runtime-spec.ts';

/** Where runc keeps what it knows of a container: in the bundle, so that a later process finds it there. */
export function runcState(bundle: string): string {
  return join(bundle, 'state');
}

/**
 * Runs a prepared container by `runc run`, which waits for it and deletes it.
 * @throws ContainerError RUNTIME_FAILED, ISOLATION_UNAVAILABLE, ABORTED
 */
export async function runRunc(container: PreparedContainer, options: RunOptions): Promise<ExitStatus> {
  const { id, bundle } = container.spec;
  const runc = findExecutable('runc');
  if (runc === undefined) throw new ContainerError('ISOLATION_UNAVAILABLE', 'runc is not installed');
  const spec = runtimeSpec(container, options.privileges, sandboxMachine());
  writeConfig(container, serializeSpec(spec));
  mkdirSync(runcState(bundle), { recursive: true, mode: 0o700 });
  const log = join(bundle, 'runc.log');
  rmSync(log, { force: true });
  // Told, because runc takes a user namespace with all ids for none; then it would insist on its cgroups.
  const rootless = options.privileges.kind === 'root' ? 'false' : 'true';
  const global = ['--root', runcState(bundle), '--log', log, '--log-format', 'json', '--rootless', rootless];
  // Its cgroup is kept to be asked whether memory ran out.
  const keep = needsCgroup(container.spec.confinement?.limits);
  const runtime = supervise([runc, ...global, 'run', ...(keep ? ['--keep'] : []), '--bundle', bundle, id], {
    onOutput: (stream, chunk) => options.onOutput(stream, chunk),
    owner: ownerOfOutput(container, options.privileges),
    interaction: container.spec.interaction,
  });
  let stopping: Promise<void> | undefined;
  using _ = whenAborted(options.signal, () => {
    stopping = stop(bundle, id).then(() => runtime.process.kill());
  });
  const status = await runtime.ended;
  await stopping;
  if (options.signal?.aborted === true) {
    await deleteContainer(bundle, id);
    throw abortedError(options.signal);
  }
  if (!keep) return status.code === 0 ? status : explain(status, log);
  const outOfMemory = status.code !== 0 && ranOutOfMemory(id);
  await deleteContainer(bundle, id);
  if (outOfMemory) return { ...status, outOfMemory };
  return status.code === 0 ? status : explain(status, log);
}

/** runc looks in the bundle; where the file itself must not be on a disk, there is a link. */
function writeConfig({ spec: { bundle }, launchFolder }: PreparedContainer, text: string): void {
  const file = join(launchFolder, 'config.json');
  writeFileSync(file, text, { mode: 0o600 });
  if (launchFolder === bundle) return;
  rmSync(join(bundle, 'config.json'), { force: true });
  symlinkSync(file, join(bundle, 'config.json'));
}

/** Kills everything in the container; false codes are those of one that is not there yet or any more. */
async function stop(bundle: string, id: string): Promise<void> {
  await run('runc', ['--root', runcState(bundle), 'kill', id, 'KILL'], { expectedCodes: [0, 1] });
}

/** Kills and forgets a container with its cgroups; one that is not there is no error. */
export async function deleteContainer(bundle: string, id: string): Promise<void> {
  await run('runc', ['--root', runcState(bundle), 'delete', '--force', id], { expectedCodes: [0, 1] });
  await removeCgroups(id);
}

/** A status of the step's own, or one of runc's: only those leave an error in its log. */
function explain(status: ExitStatus, log: string): ExitStatus {
  const message = runcError(log);
  if (message === undefined) return status;
  if (/executable file not found|exec.*: no such file or directory/.test(message)) return { code: 127 };
  if (/exec.*: (permission denied|is a directory|exec format error)/.test(message)) return { code: 126 };
  throw new ContainerError('RUNTIME_FAILED', message);
}

function runcError(log: string): string | undefined {
  const lines = readLog(log).split('\n');
  for (const line of lines.reverse()) {
    if (line === '') continue;
    const { level, msg } = parseEntry(line);
    if ((level === 'error' || level === 'fatal') && typeof msg === 'string') return msg;
  }
  return undefined;
}

function parseEntry(line: string): { readonly level?: unknown; readonly msg?: unknown } {
  try {
    return JSON.parse(line) as object;
  } catch {
    return {}; // cut off
  }
}

function readLog(log: string): string {
  try {
    return readFileSync(log, 'utf8');
  } catch {
    return '';
  }
}
