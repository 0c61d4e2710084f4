import os from 'node:os';
import { probeOverlay } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import type { DriverName } from './snapshot-rows.ts';

/**
 * The driver that was asked for, or overlay where it can be mounted. The answer is remembered per kernel and kind of
 * privileges, because asking costs a few milliseconds.
 */
export function chooseDriver(base: StoreBase): DriverName {
  const wanted = base.options.snapshotter ?? 'auto';
  if (wanted !== 'auto') return wanted;
  if (base.privileges.kind === 'none') return 'copy';
  const { db, privileges } = base;
  const userXattr = privileges.overlayXattrPrefix === 'user.overlay.';
  const key = `driver ${os.release()} ${privileges.kind} ${userXattr ? 'user' : 'trusted'}`;
  const known = db.get<{ value: DriverName }>('SELECT value FROM meta WHERE key = ?', key)?.value;
  if (known !== undefined) return known;
  if (base.options.readOnly === true) return 'overlay';
  const driver = probeOverlay(base.paths.snapshots, { userXattr }) ? 'overlay' : 'copy';
  db.write(() => db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, driver));
  return driver;
}
