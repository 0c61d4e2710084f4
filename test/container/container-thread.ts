import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { type ContainerSpec, type Isolation, runContainer } from '../../src/container/index.ts';
import { currentPrivileges } from '../../src/system/index.ts';

/** Asked of the thread in which containers run: it has mounts of its own. */
export type ThreadRequest =
  | { readonly kind: 'run'; readonly number: number; readonly spec: ContainerSpec; readonly isolation: Isolation }
  | { readonly kind: 'abort'; readonly number: number };

export type ThreadReply =
  | {
      readonly kind: 'output';
      readonly number: number;
      readonly stream: 'stdout' | 'stderr';
      readonly chunk: Uint8Array;
    }
  | { readonly kind: 'end'; readonly number: number; readonly end: RunEnd };

export interface RunEnd {
  readonly code?: number;
  readonly signal?: string | undefined;
  readonly outOfMemory?: boolean;
  /** `code` of what was thrown, and its message. */
  readonly error?: string;
  readonly message?: string;
  /** Mounts of this thread that lie in the bundle. */
  readonly mountsLeft: number;
}

const aborts = new Map<number, AbortController>();
const privileges = currentPrivileges();

parentPort?.on('message', (request: ThreadRequest) => {
  if (request.kind === 'abort') aborts.get(request.number)?.abort();
  else void runOne(request);
});

async function runOne({ number, spec, isolation }: Extract<ThreadRequest, { kind: 'run' }>): Promise<void> {
  const abort = new AbortController();
  aborts.set(number, abort);
  const post = (reply: ThreadReply): void => parentPort?.postMessage(reply);
  const mountsLeft = (): number =>
    readFileSync('/proc/thread-self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${spec.bundle}/`)).length;
  try {
    const status = await runContainer(spec, {
      privileges,
      isolation,
      signal: abort.signal,
      onOutput: (stream, chunk) => post({ kind: 'output', number, stream, chunk }),
    });
    post({ kind: 'end', number, end: { ...status, mountsLeft: mountsLeft() } });
  } catch (thrown) {
    const { code = 'UNKNOWN', message = String(thrown) } = thrown as { code?: string; message?: string };
    post({ kind: 'end', number, end: { error: code, message, mountsLeft: mountsLeft() } });
  }
}
