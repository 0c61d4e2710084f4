import fs from 'node:fs';

/** Who a process is, for messages: a pid alone may have been given to another one since. */
export interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
  readonly bootId: string;
}

export function ownProcessRecord(): ProcessRecord {
  return { pid: process.pid, startTime: processStartTime(process.pid) ?? '', bootId: bootId() };
}

/** Names one run of the kernel (random(4)). */
export function bootId(): string {
  return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** When a process began, in clock ticks since boot (field 22 of proc(5) stat); undefined: there is none. */
export function processStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold anything, also parentheses and spaces.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
