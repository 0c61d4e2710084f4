import type { Step } from '../../dockerfile/index.ts';
import { messageOf } from '../../errors.ts';
import type { Store } from '../../store/index.ts';
import type { OnBuildEvent } from '../events.ts';
import { exportCacheMounts } from './cache-archive/export.ts';
import { importCacheMounts } from './cache-archive/import.ts';
import type { MountsRequest } from './request.ts';

export interface CarryOptions {
  readonly store: Store;
  readonly request: MountsRequest | undefined;
  readonly onEvent: OnBuildEvent;
  readonly signal: AbortSignal | undefined;
}

/** `--cache-mount-import`, before the first step. A cache is no more than a help: what cannot be had is said, and the build goes on. */
export async function importMounts(steps: readonly Step[], options: CarryOptions): Promise<void> {
  const { store, request, signal } = options;
  const ids = cacheIds(steps);
  if (request?.cacheMountImport === undefined || ids.size === 0) return;
  const folder = request.cacheMountImport;
  const tell = teller(options.onEvent);
  try {
    const { imported } = await importCacheMounts(store, folder, { ids, signal, onProblem: tell.warning });
    if (imported.length > 0) tell.info(`imported ${count(imported.length)} from ${folder}`);
  } catch (error) {
    signal?.throwIfAborted();
    tell.warning(`cache mounts cannot be imported: ${messageOf(error)}`);
  }
}

/** `--cache-mount-export`, after a build that succeeded. */
export async function exportMounts(steps: readonly Step[], options: CarryOptions): Promise<void> {
  const { store, request, signal } = options;
  const ids = cacheIds(steps);
  if (request?.cacheMountExport === undefined || ids.size === 0) return;
  const folder = request.cacheMountExport;
  const tell = teller(options.onEvent);
  try {
    const { written, unchanged } = await exportCacheMounts(store, folder, { ids, signal });
    const same = unchanged.length === 0 ? '' : `, ${unchanged.length} unchanged`;
    tell.info(`exported ${count(written.length)} to ${folder}${same}`);
  } catch (error) {
    signal?.throwIfAborted();
    tell.warning(`cache mounts cannot be exported: ${messageOf(error)}`);
  }
}

function cacheIds(steps: readonly Step[]): ReadonlySet<string> {
  const mounts = steps.flatMap((step) => (step.kind === 'run' ? step.mounts : []));
  return new Set(mounts.flatMap((mount) => (mount.type === 'cache' ? [mount.id] : [])));
}

function teller(onEvent: OnBuildEvent) {
  return {
    info: (message: string): void => onEvent({ type: 'note', level: 'info', message }),
    warning: (message: string): void => onEvent({ type: 'note', level: 'warning', message }),
  };
}

function count(number: number): string {
  return number === 1 ? '1 cache mount' : `${number} cache mounts`;
}
