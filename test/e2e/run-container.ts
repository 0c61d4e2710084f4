import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { heldCapabilities } from '../../src/container/capabilities.ts';
import { run, type RunResult } from './run-cli.ts';

export interface ContainerOptions {
  /** The unpacked root file system, which is written to. */
  readonly rootfs: string;
  /** A folder of the test's own. */
  readonly work: string;
  /** Folders of the machine, by where the container sees them. */
  readonly volumes?: Readonly<Record<string, string>>;
  readonly env?: readonly string[];
  readonly cwd?: string;
}

interface Spec {
  process: Record<string, unknown> & { capabilities: Record<string, readonly string[]> };
  root: unknown;
  mounts: unknown[];
  linux: Record<string, unknown>;
}

/** Runs a command in runc with every right that we have, as `docker run --privileged` does: containers can be made in it. */
export async function runContainer(args: readonly string[], options: ContainerOptions): Promise<RunResult> {
  const id = `slipway-test-${randomBytes(6).toString('hex')}`;
  const bundle = join(options.work, id);
  await mkdir(bundle, { recursive: true });
  try {
    await run('runc', ['spec', '--bundle', bundle]);
    const file = join(bundle, 'config.json');
    const spec = JSON.parse(await readFile(file, 'utf8')) as Spec;
    await writeFile(file, JSON.stringify(privileged(spec, args, options)));
    return await run('runc', ['--root', join(bundle, 'state'), 'run', '--bundle', bundle, id]);
  } finally {
    await rm(bundle, { recursive: true, force: true });
  }
}

function privileged(spec: Spec, args: readonly string[], options: ContainerOptions): Spec {
  const all = heldCapabilities();
  const mounts = Object.entries(options.volumes ?? {}).map(([destination, source]) => ({
    destination,
    source,
    type: 'bind',
    options: ['bind', 'rw'],
  }));
  return {
    ...spec,
    process: {
      ...spec.process,
      terminal: false,
      args,
      cwd: options.cwd ?? '/',
      env: options.env ?? [],
      capabilities: { bounding: all, effective: all, permitted: all },
      noNewPrivileges: false,
    },
    root: { path: options.rootfs, readonly: false },
    mounts: [...spec.mounts, ...mounts],
    linux: { namespaces: spec.linux['namespaces'], resources: { devices: [{ allow: true, access: 'rwm' }] } },
  };
}
