import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { enterPrivateMounts, mountRoot, type Privileges, type RootMount, unmountRoot } from '../../system/index.ts';

/** What every job of the workshop is given beside its own data. */
export interface JobContext {
  readonly privileges: Privileges;
  readonly signal: AbortSignal;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
  /** A RUN job's container has ended. */
  readonly onLeft: () => void;
  /** Throws when the job is to stop; for work that hears nothing meanwhile. */
  readonly checkIn: () => void;
}

/**
 * Trees that are open during a job. Plain folders are used where they are; snapshots are mounted below `scratch`, in this
 * thread's own mount namespace, and unmounted when the job is over.
 */
export class OpenTrees implements Disposable {
  readonly #scratch: string;
  readonly #mounted: string[] = [];
  #count = 0;

  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  /** Absolute path of the tree's root. */
  open(root: RootMount): string {
    if (root.kind === 'directory') return root.path;
    enterPrivateMounts();
    const target = join(this.#scratch, `mount-${this.#count++}`);
    mkdirSync(target, { recursive: true });
    mountRoot(root, target);
    this.#mounted.push(target);
    return target;
  }

  /** Takes a mounted tree away before the others. */
  close(root: string): void {
    const place = this.#mounted.indexOf(root);
    if (place < 0) return;
    this.#mounted.splice(place, 1);
    unmountRoot(root);
  }

  [Symbol.dispose](): void {
    for (const target of this.#mounted.reverse()) unmountRoot(target);
    this.#mounted.length = 0;
  }
}
