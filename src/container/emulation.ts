import { spawn } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatPlatform, hostPlatform, type Platform, platformRank } from '../oci/index.ts';
import { probeProgram } from './probe-program.ts';

/** Whether programs for a platform run on this machine. */
export type Runnable =
  | { readonly kind: 'native' }
  /** Through a handler of binfmt_misc. */
  | { readonly kind: 'emulated'; readonly handler: string | undefined }
  | { readonly kind: 'none'; readonly reason: string };

const binfmtFolder = '/proc/sys/fs/binfmt_misc';

/**
 * Finds out by running the smallest program there is for the platform: what /proc says does not tell, since containers mostly
 * do not see the handlers that work in them, and not every ARM processor runs 32-bit code.
 * @param scratch an existing folder for the program, in which files may be executed
 */
export async function findRunnable(platform: Platform, scratch: string): Promise<Runnable> {
  const host = hostPlatform();
  if (platform.os !== host.os) return { kind: 'none', reason: `it is ${host.os}, and no emulator runs ${platform.os}` };
  if (platform.architecture === host.architecture && platformRank(host, platform) !== undefined)
    return { kind: 'native' };
  const program = probeProgram(platform.architecture);
  if (program === undefined) return { kind: 'none', reason: 'it is not known how to emulate that processor' };
  const handler = (await readHandlers(binfmtFolder)).find((each) => each.matches(program));
  if (!(await runs(program, join(scratch, `probe-${platform.architecture}`))))
    return { kind: 'none', reason: `no emulator for ${formatPlatform(platform)} is registered` };
  if (platformRank(host, platform) !== undefined) return { kind: 'native' };
  if (handler !== undefined && !handler.flags.includes('F')) {
    const reason = `the emulator ${handler.name} is registered without the flag F, so that containers do not see it`;
    return { kind: 'none', reason };
  }
  return { kind: 'emulated', handler: handler?.name };
}

async function runs(program: Buffer, file: string): Promise<boolean> {
  await writeFile(file, program, { mode: 0o755 });
  try {
    return await new Promise((resolve) => {
      const child = spawn(file, [], { stdio: 'ignore', timeout: 10_000, killSignal: 'SIGKILL' });
      child.once('error', () => resolve(false));
      child.once('exit', (code) => resolve(code === 0));
    });
  } finally {
    await rm(file, { force: true });
  }
}

/** One emulator that the kernel knows. */
export interface BinfmtHandler {
  readonly name: string;
  readonly interpreter: string;
  readonly flags: string;
  matches(program: Uint8Array): boolean;
}

/** The handlers that are enabled; none where the list is not to be seen. */
async function readHandlers(folder: string): Promise<readonly BinfmtHandler[]> {
  const names = await readdir(folder).catch(() => []);
  const handlers: BinfmtHandler[] = [];
  for (const name of names.filter((each) => each !== 'register' && each !== 'status')) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    const handler = parseHandler(name, text);
    if (handler !== undefined) handlers.push(handler);
  }
  return handlers;
}

/**
 * The file of one handler as the kernel writes it (Documentation/admin-guide/binfmt-misc.rst); undefined for one that is disabled or
 * goes by file names.
 */
export function parseHandler(name: string, text: string): BinfmtHandler | undefined {
  const lines = text.split('\n');
  const value = (key: string): string => lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? '';
  const magic = Buffer.from(value('magic'), 'hex');
  if (lines[0] !== 'enabled' || magic.length === 0) return undefined;
  const mask = value('mask') === '' ? Buffer.alloc(magic.length, 0xff) : Buffer.from(value('mask'), 'hex');
  const offset = Number(value('offset') || '0');
  return {
    name,
    interpreter: value('interpreter'),
    flags:
      lines
        .find((line) => line.startsWith('flags:'))
        ?.slice('flags:'.length)
        .trim() ?? '',
    matches: (program) =>
      magic.every((byte, at) => ((program[offset + at] ?? 0) & (mask[at] ?? 0xff)) === (byte & (mask[at] ?? 0xff))),
  };
}
