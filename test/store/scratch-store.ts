import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openStore, type Store, type StoreOptions } from '../../src/store/index.ts';
import type { Privileges } from '../../src/system/index.ts';

export const isRoot = process.getuid?.() === 0;

/** `it` for what needs root; elsewhere skipped, the name says why. */
export const asRoot = isRoot ? '' : ' (skipped: needs root)';

export const testPrivileges: Privileges = {
  kind: isRoot ? 'root' : 'none',
  uidMap: [],
  gidMap: [],
  overlayXattrPrefix: 'trusted.overlay.',
  mayMknod: isRoot,
  realUid: process.getuid?.() ?? 0,
};

/** A folder in memory where there is one: the tests sync much. */
export function scratchFolder(): string {
  const parent = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  return fs.mkdtempSync(path.join(parent, 'slipway-store-'));
}

/** A store of its own for one test, opened as often as wanted. */
export class ScratchStore implements AsyncDisposable {
  readonly folder = scratchFolder();
  readonly root = path.join(this.folder, 'store');
  readonly #open: Store[] = [];

  /** Overlay unless told: asking the machine would put this process into a mount namespace of its own. */
  async open(options: Partial<StoreOptions> = {}): Promise<Store> {
    const store = await openStore({ root: this.root, privileges: testPrivileges, snapshotter: 'overlay', ...options });
    this.#open.push(store);
    return store;
  }

  /** Files below a folder of the store, sorted. */
  files(below: string): string[] {
    return fs.readdirSync(path.join(this.root, below)).toSorted();
  }

  /** What a restart of the machine does to the marker of unsynced snapshots. */
  forgetMarkers(): void {
    if (process.getuid?.() !== 0) return; // an ordinary user's lie in a folder of their own
    const { dev, ino } = fs.statSync(this.root, { bigint: true, throwIfNoEntry: false }) ?? {};
    for (const name of fs.existsSync('/run/slipway') ? fs.readdirSync('/run/slipway') : []) {
      if (name.includes(`-${dev}-${ino}`)) fs.rmSync(`/run/slipway/${name}`, { force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#open) await store.close();
    this.forgetMarkers();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
