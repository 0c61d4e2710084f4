import { readdirSync, readFileSync } from 'node:fs';

const pageSize = 4096;
const millisecondsPerTick = 10;

/** What a process and those below it use: bytes of resident memory, shared pages in each, and milliseconds of processor time. */
export interface Usage {
  readonly memory: number;
  /** With that of children that ended and were waited for. */
  readonly cpu: number;
}

/**
 * Processes may end while they are looked at: they are then nothing. So are those that are about to become another program: until
 * then they have their parent's own memory (vfork(2)), or share all of it.
 */
export function usageBelow(pid: number): Usage {
  return usageOf(pid, undefined);
}

function usageOf(pid: number, parentSize: string | undefined): Usage {
  try {
    const [size, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    if (parentSize !== undefined && size === parentSize) return { memory: 0, cpu: 0 };
    const own = { memory: Number(pages) * pageSize, cpu: processorTime(readFileSync(`/proc/${pid}/stat`, 'latin1')) };
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
    return sum([own, ...children.map((child) => usageOf(child, size))]);
  } catch {
    return { memory: 0, cpu: 0 };
  }
}

export function sum(usages: readonly Usage[]): Usage {
  return usages.reduce((all, { memory, cpu }) => ({ memory: all.memory + memory, cpu: all.cpu + cpu }), {
    memory: 0,
    cpu: 0,
  });
}

/** From `stat`, whose second field may hold anything in its parentheses: utime, stime, cutime and cstime. */
function processorTime(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0) * millisecondsPerTick;
}
