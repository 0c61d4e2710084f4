import type { Privileges } from '../src/system/index.ts';

/** What root may, as tests of single pieces hand it down. */
export const rootPrivileges: Privileges = {
  kind: 'root',
  uidMap: [],
  gidMap: [],
  overlayXattrPrefix: 'trusted.overlay.',
  mayMknod: true,
  realUid: 0,
};
