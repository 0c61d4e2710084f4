import { errnoOf } from '../error.ts';
import type { BytePath, Syscalls } from '../../system/index.ts';

/** Where owners are recorded that this process cannot set: the text `uid:gid`. */
export const ownerXattr = 'user.slipway.owner';

/** Set when everything below is in place: a default ACL would pass itself on to what is made afterwards. */
export const defaultAcl = 'system.posix_acl_default';

export type XattrVerdict = 'keep' | 'drop' | 'drop-and-warn';

/**
 * Which attributes of a layer may be set. Those of overlayfs would redirect or hide files in the next mount, those of security modules
 * belong to the machine, and our own record of owners is not the layer's to write.
 */
export function judgeXattr(name: string): XattrVerdict {
  if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) return 'drop-and-warn';
  if (name.startsWith('user.slipway.')) return 'drop-and-warn';
  if (/^security\.(selinux|ima|evm|apparmor|SMACK64.*)$/.test(name)) return 'drop';
  if (name.startsWith('system.')) return name.startsWith('system.posix_acl_') ? 'keep' : 'drop';
  return /^(security|trusted|user)\../.test(name) ? 'keep' : 'drop-and-warn';
}

/** Sets an attribute; false where the file system or the kernel has no room for it here. */
export function trySetXattr(syscalls: Syscalls, path: BytePath, name: string, value: Uint8Array): boolean {
  try {
    syscalls.setXattr(path, name, value);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOTSUP' || errno === 'EPERM' || errno === 'EINVAL' || errno === 'E2BIG') return false;
    throw error;
  }
}
