import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mountRoot, unmountRoot } from '../system/index.ts';
import { checkLimits } from './limits.ts';
import { checkSecurity } from './security.ts';
import type { ContainerSpec, ExitStatus, RunOptions } from './contract.ts';
import { checkSpec, prepareContainer } from './prepare.ts';
import { runRunc } from './runc/run-runc.ts';
import { runSandbox } from './sandbox/run-sandbox.ts';
import { abortedError } from './supervise.ts';

/**
 * Runs one process in a root file system to its end: mounts the root in this thread's private mounts, runs, unmounts. Call it
 * from a thread that lives until then. A program that cannot be started is a status (127 not found, 126 not executable, the
 * reason on stderr); an error means that the container itself could not be made.
 * @throws ContainerError; SystemError where the root cannot be mounted
 */
export async function runContainer(spec: ContainerSpec, options: RunOptions): Promise<ExitStatus> {
  checkSpec(spec);
  checkLimits(spec.confinement?.limits, options);
  checkSecurity(spec.confinement?.security, options.isolation);
  if (options.signal?.aborted === true) throw abortedError(options.signal);
  const rootfs = join(spec.bundle, 'rootfs');
  mkdirSync(rootfs, { recursive: true, mode: 0o700 });
  mountRoot(spec.root, rootfs);
  try {
    const container = prepareContainer(spec, rootfs);
    try {
      return await (options.isolation === 'runc' ? runRunc : runSandbox)(container, options);
    } finally {
      container.points.clean();
    }
  } finally {
    unmountRoot(rootfs);
    rmSync(join(spec.bundle, 'init.json'), { force: true });
    rmdirSync(rootfs); // tells reapContainer that there is nothing to do
  }
}
