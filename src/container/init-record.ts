import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileName = 'init.json';

/** The first process of a sandbox, on the machine's side. */
interface InitRecord {
  readonly pid: number;
  /** Clock ticks since boot, with the boot: a pid alone may have been given away since. */
  readonly startTime: string;
  readonly bootId: string;
}

/**
 * Notes in the bundle which process to kill if we are killed. The kernel does so itself, unless the step's first process has
 * changed its user: that clears its parent-death signal.
 * @param launcher pid of unshare, whose only child it is.
 */
export function recordInit(bundle: string, launcher: number | undefined): void {
  const pid = onlyChild(launcher);
  const startTime = pid === undefined ? undefined : startTimeOf(pid);
  if (pid === undefined || startTime === undefined) return; // it has ended
  const record: InitRecord = { pid, startTime, bootId: bootId() };
  writeFileSync(join(bundle, fileName), JSON.stringify(record));
}

/** Kills the first process of the sandbox whose bundle this is, if it still runs. */
export function killRecordedInit(bundle: string): void {
  const record = readRecord(bundle);
  if (record === undefined || record.bootId !== bootId() || startTimeOf(record.pid) !== record.startTime) return;
  kill(record.pid);
}

/** Kills what unshare runs, whose end ends unshare; or unshare, where it runs nothing yet. */
export function killProcess(launcher: number | undefined): void {
  if (launcher !== undefined) kill(onlyChild(launcher) ?? launcher);
}

function readRecord(bundle: string): InitRecord | undefined {
  try {
    const value = JSON.parse(readFileSync(join(bundle, fileName), 'utf8')) as Partial<InitRecord>;
    const { pid, startTime, bootId } = value;
    if (typeof pid !== 'number' || pid < 2 || typeof startTime !== 'string' || typeof bootId !== 'string') return;
    return { pid, startTime, bootId };
  } catch {
    return undefined; // there is none, or it was cut off: its writer died before the step's program could do anything
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function onlyChild(pid: number | undefined): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    return /^\d+$/.test(children) ? Number(children) : undefined;
  } catch {
    return undefined;
  }
}

/** Field 22 of proc(5) stat; the name before it may hold anything. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
