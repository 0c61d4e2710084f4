import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { statfsSync } from 'node:fs';
import { versions } from '../peers/index.ts';

/** What a reader has to know of the machine. */
export interface MachineFacts {
  readonly processor: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly kernel: string;
  readonly node: string;
  readonly slipway: string;
  readonly peers: Readonly<Record<string, string>>;
}

export async function machineFacts(): Promise<MachineFacts> {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memory: totalmem(),
    kernel: release(),
    node: process.version,
    slipway: commit(),
    peers: await versions(),
  };
}

/** The commit that is measured, with `+` when files differ from it. */
function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', ':/') === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

const magics: Readonly<Record<number, string>> = { 0xef53: 'ext4', 0x01021994: 'tmpfs', 0x794c7630: 'overlay' };

/** The kind of file system below a folder. */
export function fileSystemOf(folder: string): string {
  const { type } = statfsSync(folder);
  return magics[type] ?? `0x${type.toString(16)}`;
}
