import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootId, type ProcessRecord, processStartTime, type StartedProcess } from '../system/index.ts';
import { kill } from './strays.ts';

const fileName = 'init.json';

/**
 * Notes in the bundle which process to kill if we are killed. The kernel does so itself, unless the step's first process has
 * changed its user: that clears its parent-death signal.
 * @param launcher pid of unshare, whose only child it is.
 */
export function recordInit(bundle: string, launcher: number | undefined): void {
  const pid = onlyChild(launcher);
  const startTime = pid === undefined ? undefined : processStartTime(pid);
  if (pid === undefined || startTime === undefined) return; // it has ended
  const record: ProcessRecord = { pid, startTime, bootId: bootId() };
  writeFileSync(join(bundle, fileName), JSON.stringify(record));
}

/** Kills the first process of the sandbox whose bundle this is, if it still runs. */
export function killRecordedInit(bundle: string): void {
  const record = readRecord(bundle);
  if (record === undefined || record.bootId !== bootId() || processStartTime(record.pid) !== record.startTime) return;
  kill(record.pid);
}

/** Kills what unshare runs, whose end ends unshare; or unshare, where it runs nothing yet. */
export function killSandbox({ pid, runs }: StartedProcess): void {
  if (runs) kill(onlyChild(pid) ?? pid);
}

function readRecord(bundle: string): ProcessRecord | undefined {
  try {
    const value = JSON.parse(readFileSync(join(bundle, fileName), 'utf8')) as Partial<ProcessRecord>;
    const { pid, startTime, bootId: boot } = value;
    if (typeof pid !== 'number' || pid < 2 || typeof startTime !== 'string' || typeof boot !== 'string') return;
    return { pid, startTime, bootId: boot };
  } catch {
    return undefined; // there is none, or it was cut off: its writer died before the step's program could do anything
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
