import { createRequire } from 'node:module';
import path from 'node:path';
import { messageOf } from '../errors.ts';
import { SystemError } from './error.ts';

/** The little of koffi that is used here. */
export interface Koffi {
  load(library: string | null): Library;
  errno(): number;
  readonly os: { readonly errno: Readonly<Record<string, number>> };
}

export interface Library {
  func(name: string, result: string, parameters: readonly string[]): NativeFunction;
}

export interface NativeFunction {
  (...values: readonly unknown[]): unknown;
  /** Called on a thread of the pool; the last value is called back. `errno` is not to be had of it. */
  async(...values: readonly unknown[]): void;
}

const architectures: Readonly<Record<string, { readonly package: string; readonly folders: readonly string[] }>> = {
  x64: { package: '@koromix/koffi-linux-x64', folders: ['linux_x64', 'musl_x64'] },
  arm64: { package: '@koromix/koffi-linux-arm64', folders: ['linux_arm64', 'musl_arm64'] },
};

/**
 * Loads koffi into this thread. Its binary is opened directly where it can be found (0.7 ms), because koffi's own entry
 * spends 6 ms on looking for it.
 * @throws SystemError SYSCALLS_UNAVAILABLE
 */
export function loadKoffi(): Koffi {
  const load = createRequire(import.meta.url);
  const direct = openBinary(load);
  if (direct !== undefined) return direct;
  try {
    return load('koffi') as Koffi;
  } catch (cause) {
    throw new SystemError('SYSCALLS_UNAVAILABLE', `cannot load koffi, which makes system calls: ${messageOf(cause)}`, {
      hint: 'install again without --omit=optional: the binary comes in an optional package of koffi',
      cause,
    });
  }
}

/** undefined: not where it is expected; koffi itself may still find it. */
function openBinary(load: NodeJS.Require): Koffi | undefined {
  const build = architectures[process.arch];
  if (build === undefined) return undefined;
  let folder: string;
  try {
    folder = path.dirname(load.resolve(`${build.package}/package.json`));
  } catch {
    return undefined;
  }
  for (const name of build.folders) {
    // The build for the other C library fails to link, which is the test.
    try {
      const loaded: { exports: unknown } = { exports: {} };
      process.dlopen(loaded, path.join(folder, name, 'koffi.node'));
      return loaded.exports as Koffi;
    } catch {}
  }
  return undefined;
}
