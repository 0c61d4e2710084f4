import { readFileSync } from 'node:fs';

/** Capability names by number (linux/capability.h), without their `CAP_`. */
const numbered = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

export type Capability = `CAP_${string}`;

/** The fourteen that docker leaves a container by default: mask 00000000a80425fb. */
export const defaultCapabilities: readonly Capability[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SYS_CHROOT',
  'CAP_MKNOD',
  'CAP_AUDIT_WRITE',
  'CAP_SETFCAP',
];

/** What a process may have at most, by /proc: here its own. */
export function heldCapabilities(status: string = readFileSync('/proc/self/status', 'utf8')): readonly Capability[] {
  const mask = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return numbered
    .filter((_, number) => ((mask >> BigInt(number)) & 1n) === 1n)
    .map((name): Capability => `CAP_${name}`);
}

/** The bit of a capability in the sets of capset(2); -1 for an unknown name. */
export function capabilityNumber(capability: Capability): number {
  return numbered.indexOf(capability.slice('CAP_'.length));
}

export function capabilityMask(capabilities: readonly Capability[]): bigint {
  return capabilities.reduce((mask, name) => mask | (1n << BigInt(capabilityNumber(name))), 0n);
}
