import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mountRoot, PrivateTmpfs, unmountRoot } from '../system/index.ts';
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
  // What the driver writes for the runtime has the whole environment in it.
  using vault = hasSecrets(spec) ? openVault(spec) : undefined;
  mountRoot(spec.root, rootfs);
  try {
    const { isolation } = options;
    const container = prepareContainer(spec, { rootfs, launchFolder: vault?.path ?? spec.bundle, isolation });
    try {
      return await (isolation === 'runc' ? runRunc : runSandbox)(container, options);
    } finally {
      container.inner.clean();
    }
  } finally {
    unmountRoot(rootfs);
    rmSync(join(spec.bundle, 'init.json'), { force: true });
    rmdirSync(rootfs); // tells reapContainer that there is nothing to do
  }
}

function hasSecrets(spec: ContainerSpec): boolean {
  return spec.secretEnv !== undefined && spec.secretEnv.length > 0;
}

function openVault(spec: ContainerSpec): PrivateTmpfs {
  const size = (spec.secretEnv ?? []).reduce((sum, entry) => sum + 4 * Buffer.byteLength(entry), 4 << 20);
  return new PrivateTmpfs(join(spec.bundle, 'launch'), { size, executable: true });
}
