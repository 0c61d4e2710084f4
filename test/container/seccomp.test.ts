import { describe, expect, it } from '@jest/globals';
import { type Capability, capabilityMask, defaultCapabilities } from '../../src/container/capabilities.ts';
import { compileFilter } from '../../src/container/seccomp/bpf.ts';
import { fakeRootFilter, type Machine, policyFilter, terminalFilter } from '../../src/container/seccomp/filter.ts';
import { type SyscallTable, syscallNumbers } from '../../src/container/seccomp/numbers.ts';
import { ociSeccomp, overlayFilters } from '../../src/container/seccomp/oci.ts';
import { interpret } from './bpf-interpreter.ts';

const audits: Readonly<Record<SyscallTable, { readonly audit: number; readonly machine: Machine }>> = {
  x64: { audit: 0xc000003e, machine: 'x64' },
  i386: { audit: 0x40000003, machine: 'x64' },
  arm64: { audit: 0xc00000b7, machine: 'arm64' },
};
const names = new Map([
  [0x7fff0000, 'allow'],
  [0x80000000, 'kill'],
  [0x00050000, 'pretend'],
  [0x00050001, 'EPERM'],
  [0x00050026, 'ENOSYS'],
]);

const numberOf = (table: SyscallTable, call: string): number => {
  const number = /^\d+$/.test(call) ? Number(call) : syscallNumbers(table).get(call);
  if (number === undefined) throw new Error(`${call} is not in the table of ${table}`);
  return number;
};

function judge(program: Buffer, table: SyscallTable, call: string, args: readonly bigint[] = []): string {
  const result = interpret(program, { audit: audits[table].audit, number: numberOf(table, call), args });
  return names.get(result) ?? result.toString(16);
}

const compiled: Readonly<Record<Machine, Buffer>> = {
  x64: compileFilter(policyFilter('x64', defaultCapabilities), 'x64'),
  arm64: compileFilter(policyFilter('arm64', defaultCapabilities), 'arm64'),
};

describe('docker’s policy as a program', () => {
  const cases: readonly (readonly [SyscallTable, string, readonly bigint[], string])[] = [
    ['x64', 'read', [], 'allow'],
    ['x64', 'execve', [], 'allow'],
    ['x64', 'chroot', [], 'allow'],
    ['x64', 'ptrace', [], 'allow'],
    ['x64', 'arch_prctl', [], 'allow'],
    ['x64', 'fchmodat2', [], 'allow'],
    ['x64', 'mount', [], 'EPERM'],
    ['x64', 'unshare', [], 'EPERM'],
    ['x64', 'setns', [], 'EPERM'],
    ['x64', 'keyctl', [], 'EPERM'],
    ['x64', 'add_key', [], 'EPERM'],
    ['x64', 'bpf', [], 'EPERM'],
    ['x64', 'userfaultfd', [], 'EPERM'],
    ['x64', 'open_by_handle_at', [], 'EPERM'],
    ['x64', 'kexec_load', [], 'EPERM'],
    ['x64', 'clone3', [], 'ENOSYS'],
    ['x64', '9999', [], 'ENOSYS'],
    ['x64', String(0x40000000), [], 'ENOSYS'], // read of x32
    ['x64', '4294967295', [], 'ENOSYS'],
    ['x64', 'clone', [0x01200011n], 'allow'],
    ['x64', 'clone', [0x10000000n], 'EPERM'], // CLONE_NEWUSER
    ['x64', 'clone', [0x02000000n], 'EPERM'], // CLONE_NEWCGROUP
    ['x64', 'clone', [0x1_0000_0000n], 'allow'], // CLONE_CLEAR_SIGHAND
    ['x64', 'socket', [2n], 'allow'],
    ['x64', 'socket', [16n], 'allow'],
    ['x64', 'socket', [37n], 'allow'],
    ['x64', 'socket', [38n], 'EPERM'], // AF_ALG
    ['x64', 'socket', [39n], 'allow'],
    ['x64', 'socket', [40n], 'EPERM'], // AF_VSOCK
    ['x64', 'socket', [41n], 'allow'],
    ['x64', 'socket', [0x1_0000_0026n], 'EPERM'], // AF_ALG with a dirty upper half
    ['x64', 'socket', [0xffff_ffff_0000_0002n], 'allow'],
    ['x64', 'personality', [0n], 'allow'],
    ['x64', 'personality', [8n], 'allow'],
    ['x64', 'personality', [0x20008n], 'allow'],
    ['x64', 'personality', [0xffffffffn], 'allow'],
    ['x64', 'personality', [0x0040000n], 'EPERM'], // ADDR_NO_RANDOMIZE
    ['x64', 'personality', [0x1_0000_0000n], 'EPERM'],
    ['i386', 'read', [], 'allow'],
    ['i386', 'socketcall', [], 'allow'],
    ['i386', 'chown32', [], 'allow'],
    ['i386', 'mount', [], 'EPERM'],
    ['i386', 'umount', [], 'EPERM'],
    ['i386', 'stime', [], 'EPERM'],
    ['i386', 'socket', [38n], 'EPERM'],
    ['i386', 'clone', [0x10000000n], 'EPERM'],
    ['i386', '9999', [], 'ENOSYS'],
    ['arm64', 'openat', [], 'allow'],
    ['arm64', 'renameat', [], 'allow'],
    ['arm64', 'sync_file_range', [], 'allow'],
    ['arm64', 'mount', [], 'EPERM'],
    ['arm64', 'clone', [0x10000000n], 'EPERM'],
    ['arm64', 'clone3', [], 'ENOSYS'],
    ['arm64', '9999', [], 'ENOSYS'],
  ];
  it.each(cases)('%s %s %j: %4$s', (table, call, args, expected) => {
    expect(judge(compiled[audits[table].machine], table, call, args)).toBe(expected);
  });

  it('ends a process that makes the calls of another machine', () => {
    expect(interpret(compiled.x64, { audit: 0xc00000b7, number: 63 })).toBe(0x80000000);
    expect(interpret(compiled.arm64, { audit: 0x40000028, number: 3 })).toBe(0x80000000); // 32-bit arm
  });

  it.each(['x64', 'i386', 'arm64'] as const)('agrees with the policy on every call of %s', (table) => {
    const { machine } = audits[table];
    const { calls } = policyFilter(machine, defaultCapabilities);
    const wrong = [...syscallNumbers(table).keys()].filter((name) => {
      const outcome = calls.get(name);
      if (outcome?.kind === 'tested') return false;
      const expected = outcome === undefined ? 'EPERM' : outcome.action === 'allow' ? 'allow' : 'ENOSYS';
      return judge(compiled[machine], table, name) !== expected;
    });
    expect(wrong).toEqual([]);
  });

  it('stays small enough for the kernel and quick', () => {
    expect(compiled.x64.length / 8).toBeLessThan(600); // BPF_MAXINSNS is 4096
  });

  it.each<[Capability, string]>([
    ['CAP_SYS_ADMIN', 'mount'],
    ['CAP_SYS_ADMIN', 'clone3'],
    ['CAP_SYS_TIME', 'clock_settime'],
    ['CAP_DAC_READ_SEARCH', 'open_by_handle_at'],
    ['CAP_BPF', 'bpf'],
    ['CAP_SYSLOG', 'syslog'],
  ])('%s allows %s', (capability, call) => {
    const program = compileFilter(policyFilter('x64', [...defaultCapabilities, capability]), 'x64');
    expect(judge(program, 'x64', call)).toBe('allow');
  });

  it('takes chroot from a container without CAP_SYS_CHROOT', () => {
    expect(judge(compileFilter(policyFilter('x64', []), 'x64'), 'x64', 'chroot')).toBe('EPERM');
  });
});

describe('the fake root', () => {
  const program = compileFilter(fakeRootFilter(), 'x64');
  it.each([
    ['x64', 'chown', [], 'pretend'],
    ['x64', 'fchownat', [], 'pretend'],
    ['x64', 'setgroups', [], 'pretend'],
    ['x64', 'setresuid', [], 'pretend'],
    ['i386', 'lchown32', [], 'pretend'],
    ['x64', 'mknod', [0n, 0o020666n], 'pretend'],
    ['x64', 'mknodat', [0n, 0n, 0o060660n], 'pretend'],
    ['x64', 'mknod', [0n, 0o010644n], 'allow'], // FIFO
    ['x64', 'mknodat', [0n, 0n, 0o100644n], 'allow'],
    ['x64', 'chmod', [], 'allow'],
    ['x64', '9999', [], 'allow'],
  ] as const)('%s %s %j: %4$s', (table, call, args, expected) => {
    expect(judge(program, table, call, args)).toBe(expected);
  });
});

describe('docker’s policy for a runtime', () => {
  const policy = ociSeccomp(policyFilter('x64', defaultCapabilities), 'x64');

  /** The 32-bit values that the rules of a call allow. */
  const allows = (call: string, value: bigint): boolean =>
    policy.syscalls.some(
      ({ names: [name], action, args }) =>
        name === call &&
        action === 'SCMP_ACT_ALLOW' &&
        (args ?? []).every(({ op, value: one, valueTwo = 0 }) =>
          op === 'SCMP_CMP_EQ' ? value === BigInt(one) : (value & BigInt(one)) === BigInt(valueTwo),
        ),
    );

  it('says the same of socket as the program', () => {
    const values = [...Array.from({ length: 300 }, (_, number) => BigInt(number)), 0x1_0000_0026n, 0xffff_ffffn];
    const wrong = values.filter((value) => {
      return allows('socket', value) !== (judge(compiled.x64, 'x64', 'socket', [value]) === 'allow');
    });
    expect(wrong).toEqual([]);
  });

  it('names each plain call once and refuses the rest', () => {
    expect(policy.defaultAction).toBe('SCMP_ACT_ERRNO');
    expect(policy.syscalls[0]?.names).toContain('openat2');
    expect(policy.syscalls[0]?.names).not.toContain('socket');
    expect(policy.syscalls).toContainEqual({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 });
  });

  it('names calls from the highest number down, which libseccomp takes fastest', () => {
    const numbers = (policy.syscalls[0]?.names ?? []).flatMap((name) => syscallNumbers('x64').get(name) ?? []);
    expect(numbers.length).toBeGreaterThan(300);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
  });

  it('spells out the kinds of mknod under a fake root', () => {
    const merged = overlayFilters(policyFilter('x64', defaultCapabilities), fakeRootFilter());
    const rules = ociSeccomp(merged, 'x64').syscalls.filter(({ names: [name] }) => name === 'mknod');
    expect(rules.filter(({ action }) => action === 'SCMP_ACT_ERRNO').length).toBe(2);
    expect(rules.filter(({ action }) => action === 'SCMP_ACT_ALLOW').length).toBe(14);
  });
});

describe('the filter for a step with our terminal', () => {
  const program = compileFilter(terminalFilter(), 'x64');
  it.each<[SyscallTable, string, readonly bigint[], string]>([
    ['x64', 'ioctl', [0n, 0x5412n], 'EPERM'], // TIOCSTI
    ['x64', 'ioctl', [0n, 0x1_0000_5412n], 'EPERM'], // the kernel looks at 32 bits
    ['i386', 'ioctl', [0n, 0x5412n], 'EPERM'],
    ['x64', 'ioctl', [0n, 0x541cn], 'EPERM'], // TIOCLINUX
    ['x64', 'ioctl', [0n, 0x5401n], 'allow'], // TCGETS
    ['x64', 'mount', [], 'allow'],
    ['x64', '9999', [], 'allow'],
  ])('%s: %s %j is %s', (table, call, args, expected) => {
    expect(judge(program, table, call, args)).toBe(expected);
  });
});

it('a filter that allows the rest is one for a runtime, too', () => {
  expect(ociSeccomp(fakeRootFilter(), 'x64')).toMatchObject({ defaultAction: 'SCMP_ACT_ALLOW' });
  expect(ociSeccomp(fakeRootFilter(), 'x64').syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW')).toEqual([]);
});

it('docker’s fourteen capabilities are a80425fb', () => {
  expect(capabilityMask(defaultCapabilities).toString(16)).toBe('a80425fb');
});
