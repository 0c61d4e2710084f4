import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a process of this command line, words with a space between; its pid. */
export async function processOf(command: string): Promise<number> {
  for (;;) {
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && commandOf(name) === command);
    if (pid !== undefined) return Number(pid);
    await delay(20);
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trimEnd();
  } catch {
    return ''; // it ended meanwhile
  }
}
