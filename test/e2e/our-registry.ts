import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';

const launcher = join(dirname(dirname(import.meta.dirname)), 'bin', 'slipway');

export interface OurRegistry {
  readonly host: string;
  close(): Promise<void>;
}

/** `slipway registry serve` on a free port of the loopback. */
export async function ourRegistry(folder: string): Promise<OurRegistry> {
  const child = spawn(
    process.execPath,
    [launcher, 'registry', 'serve', '--root', join(folder, 'registry'), '--addr', '127.0.0.1:0'],
    { env: { PATH: process.env['PATH'], HOME: folder }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const host = /http:\/\/(127\.0\.0\.1:\d+)/.exec(line.toString('utf8'))?.[1];
  if (host === undefined) throw new Error(`registry serve said ${line.toString('utf8')}`);
  return {
    host,
    close: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}
