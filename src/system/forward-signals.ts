import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Passes signals on to a child that stands for us, instead of dying of them. Those a terminal sends to its whole foreground
 * group reach the child by themselves; passing them on too would look like a second Ctrl-C.
 * @returns stops it
 */
export function forwardSignals(child: ChildProcess): () => void {
  const pass = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGTERM' || !inForeground()) child.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, pass);
  return () => {
    for (const signal of forwarded) process.off(signal, pass);
  };
}

/** Whether our process group is the foreground one of a terminal: fields 5 and 8 of proc(5) stat. */
function inForeground(): boolean {
  const stat = fs.readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[2] === fields[5];
}
