import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Command, Contender, Sample } from './job.ts';
import { sum, usageBelow } from './processes.ts';
import { TreeMemory } from './tree-memory.ts';

const gnuTime = '/usr/bin/time';
const marker = 'slipway-bench';
/** GNU time knows what a process and its children used; where it is not installed only wall times are known. */
const underTime = existsSync(gnuTime) ? [gnuTime, '-f', `${marker} %U %S %M`] : [];

interface Ended {
  readonly wall: number;
  readonly treeMemory: number;
  readonly stderr: string;
}

interface RunningOptions {
  readonly servers: readonly number[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs one command of a contender and measures it.
 * @throws Error when it fails
 */
export async function sampleOf(contender: Contender, command: Command, signal?: AbortSignal): Promise<Sample> {
  const servers = contender.servers?.() ?? [];
  const before = sum(servers.map(usageBelow));
  const { wall, treeMemory, stderr } = await runToEnd(contender, command, { servers, signal });
  const after = sum(servers.map(usageBelow));
  const [, user, system, memory] = new RegExp(`${marker} (\\S+) (\\S+) (\\d+)`).exec(stderr) ?? [];
  return {
    wall,
    cpu: (Number(user) + Number(system)) * 1000 + (after.cpu - before.cpu),
    memory: Number(memory) * 1024,
    treeMemory: Math.max(treeMemory, Number(memory) * 1024),
  };
}

async function runToEnd({ env, cwd }: Contender, command: Command, options: RunningOptions): Promise<Ended> {
  const { servers, signal } = options;
  signal?.throwIfAborted();
  const [program = '', ...args] = [...underTime, ...command];
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const started = process.hrtime.bigint();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // a process group of its own: what is stopped is stopped with its children
  });
  const stop = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGTERM'));
  signal?.addEventListener('abort', stop, { once: true });
  const tree = new TreeMemory(child.pid === undefined ? servers : [child.pid, ...servers]);
  let stderr = '';
  let wall = Number.NaN;
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-10_000);
  });
  child.on('error', reject);
  child.on('exit', () => {
    wall = Number(process.hrtime.bigint() - started) / 1e6;
  });
  child.on('close', resolve);
  try {
    const code = await promise;
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${stderr}`);
  } finally {
    tree.stop();
    signal?.removeEventListener('abort', stop);
  }
  return { wall, treeMemory: tree.peak, stderr };
}
