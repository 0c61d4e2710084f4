import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import type { ContainerSpec, Isolation } from '../../src/container/index.ts';
import type { RunEnd, ThreadReply, ThreadRequest } from './container-thread.ts';

const busybox = '/bin/busybox';

/** Why containers cannot be tried here; undefined where they can. */
export function whyNot(isolation: Isolation): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync(busybox)) return 'needs busybox-static';
  const tools = isolation === 'runc' ? ['/usr/sbin/runc', '/usr/bin/runc'] : ['/usr/bin/unshare'];
  return tools.some((tool) => existsSync(tool)) ? undefined : `needs ${isolation === 'runc' ? 'runc' : 'util-linux'}`;
}

export interface RunRequest {
  readonly isolation: Isolation;
  readonly args: readonly string[];
  /** What differs from a plain container. */
  readonly spec?: Partial<ContainerSpec>;
  /** Made in the writable layer before the start. */
  readonly prepare?: (upper: string) => void;
  /** Lower layers, relative to the scratch folder, uppermost first; the busybox root unless given. */
  readonly lowers?: readonly string[];
  /** Called once the container has written something; the function it gets stops the container. */
  readonly onFirstOutput?: (abort: () => void) => void;
}

export interface Outcome extends RunEnd {
  readonly stdout: string;
  readonly stderr: string;
  /** The layer that was written: paths without folders that every container makes. */
  readonly layer: readonly string[];
  readonly upper: string;
  readonly bundle: string;
}

/** Runs containers in a worker thread, as a build does, over a root made of busybox. */
export class Workshop {
  readonly scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'slipway-container-'));
  readonly #thread = new Worker(new URL('./container-thread.ts', import.meta.url));
  readonly #listeners = new Map<number, (reply: ThreadReply) => void>();
  #count = 0;

  constructor() {
    makeBusyboxRoot(join(this.scratch, 'base'));
    this.#thread.on('message', (reply: ThreadReply) => this.#listeners.get(reply.number)?.(reply));
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  async run(request: RunRequest): Promise<Outcome> {
    const number = this.#count++;
    const folder = join(this.scratch, String(number));
    for (const name of ['upper', 'work', 'bundle']) mkdirSync(join(folder, name), { recursive: true });
    const upper = join(folder, 'upper');
    request.prepare?.(upper);
    const spec: ContainerSpec = {
      id: `test-${process.pid}-${number}`,
      bundle: join(folder, 'bundle'),
      root: {
        kind: 'overlay',
        cwd: this.scratch,
        lowers: request.lowers ?? ['base'],
        upper: `${number}/upper`,
        work: `${number}/work`,
        volatile: true,
        userXattr: false,
      },
      args: request.args,
      env: [],
      cwd: '/',
      user: '',
      network: 'none',
      hostname: 'buildkitsandbox',
      mounts: [],
      ...request.spec,
    };
    const output = { stdout: '', stderr: '' };
    const end = await this.#send({ kind: 'run', number, spec, isolation: request.isolation }, (stream, text) => {
      const isFirst = output.stdout === '' && output.stderr === '';
      output[stream] += text;
      const abort = (): void => this.#thread.postMessage({ kind: 'abort', number } satisfies ThreadRequest);
      if (isFirst) request.onFirstOutput?.(abort);
    });
    return { ...end, ...output, layer: layerOf(upper), upper, bundle: spec.bundle };
  }

  #send(
    request: Extract<ThreadRequest, { kind: 'run' }>,
    onOutput: (stream: 'stdout' | 'stderr', text: string) => void,
  ): Promise<RunEnd> {
    const { promise, resolve } = Promise.withResolvers<RunEnd>();
    this.#listeners.set(request.number, (reply) => {
      if (reply.kind === 'output') onOutput(reply.stream, Buffer.from(reply.chunk).toString());
      else resolve(reply.end);
    });
    this.#thread.postMessage(request);
    return promise;
  }
}

/** Applets are links to one busybox; users and groups are there to be looked up. */
function makeBusyboxRoot(root: string): void {
  for (const folder of ['bin', 'etc', 'tmp', 'root', 'home/app']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (const applet of applets.filter((name) => name !== 'busybox')) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\napp:x:1001:\nvideo:x:44:app\n');
  writeFileSync(join(root, 'etc/script'), '#!/bin/sh\n');
}

/** Folders that BuildKit leaves, too, and those that only became newer, are left out. */
function layerOf(upper: string): readonly string[] {
  const usual = new Set(['dev', 'proc', 'sys', 'etc']);
  return (readdirSync(upper, { recursive: true }) as string[]).filter((path) => !usual.has(path)).sort();
}
