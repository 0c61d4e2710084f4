import { existsSync, readdirSync } from 'node:fs';
import { findExecutable } from '../system/index.ts';
import { killRecordedInit } from './init-record.ts';
import { deleteContainer, runcState } from './runc/run-runc.ts';

/**
 * Kills and clears away what a process that died left of a container: the next command calls it before it removes the bundle.
 * Nothing left: nothing to do.
 */
export async function reapContainer(bundle: string, id: string): Promise<void> {
  killRecordedInit(bundle);
  const state = runcState(bundle);
  if (!existsSync(state) || readdirSync(state).length === 0 || findExecutable('runc') === undefined) return;
  await deleteContainer(bundle, id);
}
