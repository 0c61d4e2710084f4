import fs from 'node:fs';
import { parseIdMap } from './id-maps.ts';
import type { IdRange, Privileges } from './privileges.ts';

/** What `currentPrivileges` looks at; its own process unless given. */
export interface ProcessIdentity {
  readonly uid: number;
  readonly uidMap: readonly IdRange[];
  readonly gidMap: readonly IdRange[];
  /** CapEff of /proc/self/status. */
  readonly capabilities: bigint;
  readonly inInitialNamespace: boolean;
}

export const capability = { setGid: 6n, setUid: 7n, mknod: 27n } as const;

/**
 * What this process may do. The kernel is asked, not the environment: root of any user namespace, made by
 * `enterUserNamespace` or by whatever runs us, is `mapped` or `single` by the size of its map.
 */
export function currentPrivileges(identity: ProcessIdentity = ownIdentity()): Privileges {
  const { uid, uidMap, gidMap } = identity;
  const realUid = outsideOf(uidMap, uid);
  if (uid !== 0) {
    return { kind: 'none', uidMap, gidMap, overlayXattrPrefix: 'user.overlay.', mayMknod: false, realUid };
  }
  if (identity.inInitialNamespace) {
    const mayMknod = hasCapability(identity.capabilities, 'mknod');
    return { kind: 'root', uidMap, gidMap, overlayXattrPrefix: 'trusted.overlay.', mayMknod, realUid };
  }
  const kind = size(uidMap) > 1 && size(gidMap) > 1 ? 'mapped' : 'single';
  return { kind, uidMap, gidMap, overlayXattrPrefix: 'user.overlay.', mayMknod: false, realUid };
}

export function ownIdentity(): ProcessIdentity {
  return {
    uid: process.geteuid?.() ?? 0,
    uidMap: parseIdMap(fs.readFileSync('/proc/self/uid_map', 'utf8')),
    gidMap: parseIdMap(fs.readFileSync('/proc/self/gid_map', 'utf8')),
    capabilities: BigInt(
      `0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
    ),
    inInitialNamespace: fs.readlinkSync('/proc/self/ns/user') === 'user:[4026531837]', // PROC_USER_INIT_INO of linux/proc_ns.h
  };
}

export function hasCapability(capabilities: bigint, name: keyof typeof capability): boolean {
  return ((capabilities >> capability[name]) & 1n) === 1n;
}

function size(map: readonly IdRange[]): number {
  return map.reduce((sum, range) => sum + range.length, 0);
}

function outsideOf(map: readonly IdRange[], id: number): number {
  const range = map.find(({ inside, length }) => id >= inside && id < inside + length);
  return range === undefined ? id : range.outside + (id - range.inside);
}
