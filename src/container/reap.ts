import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable } from '../system/index.ts';
import { killRecordedInit } from './init-record.ts';
import { removeCgroups } from './runc/cgroups.ts';
import { deleteContainer, runcState } from './runc/run-runc.ts';
import { limitedMark } from './sandbox/run-sandbox.ts';
import { killStrays } from './strays.ts';

/**
 * Kills and clears away what a process that died left of a container: the next command calls it before it removes the bundle.
 * Nothing left: nothing to do.
 */
export async function reapContainer(bundle: string, id: string): Promise<void> {
  if (!existsSync(join(bundle, 'rootfs'))) return; // it came to its end, or never began
  killRecordedInit(bundle);
  await killStrays(bundle);
  if (existsSync(join(bundle, limitedMark))) await removeCgroups(id);
  const state = runcState(bundle);
  if (!existsSync(state)) return;
  if (readdirSync(state).length > 0 && findExecutable('runc') !== undefined) await deleteContainer(bundle, id);
  else await removeCgroups(id);
}
