import { mountFlags } from './syscalls.ts';

const flagsByName: Readonly<Record<string, number>> = {
  ro: mountFlags.readOnly,
  nosuid: mountFlags.noSuid,
  nodev: mountFlags.noDev,
  noexec: mountFlags.noExec,
  noatime: 1024,
  nodiratime: 2048,
  relatime: mountFlags.relatime,
};

/** The flags of mount(2) among the options of a mount, as proc(5) mountinfo lists them. */
export function flagsOfOptions(options: string): number {
  return options
    .split(',')
    .reduce((flags, name) => flags | (Object.hasOwn(flagsByName, name) ? (flagsByName[name] ?? 0) : 0), 0);
}
