import fs from 'node:fs';
import { loadSyscalls } from '../../system/index.ts';

/** Gives `to` the owner, mode, extended attributes and times of `from`, in the order that loses none of them. */
export function copyAttributes(from: Buffer, to: Buffer, stat: fs.BigIntStats): void {
  fs.lchownSync(to, Number(stat.uid), Number(stat.gid));
  // After the owner: chown clears setuid, setgid and file capabilities.
  if (!stat.isSymbolicLink()) fs.chmodSync(to, Number(stat.mode & 0o7777n));
  copyXattrs(from, to);
  loadSyscalls().setTimes(to, stat.atimeNs, stat.mtimeNs);
}

function copyXattrs(from: Buffer, to: Buffer): void {
  const system = loadSyscalls();
  for (const name of system.listXattrs(from)) {
    // A label of the machine's own policy, not of the image; the kernel sets it.
    if (name === 'security.selinux') continue;
    const value = system.getXattr(from, name);
    if (value !== undefined) system.setXattr(to, name, value);
  }
}
