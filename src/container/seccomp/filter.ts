import type { Capability } from '../capabilities.ts';
import { type ArgumentTest, dockerPolicy } from './policy.ts';

/** Machines that a filter can be made for: what Node runs on, with the 32-bit calls that an x64 kernel takes as well. */
export type Machine = 'x64' | 'arm64';

/** What becomes of a system call: it is made, or it fails (or, with 0, seems to succeed) without being made. */
export type Action = 'allow' | 'kill' | { readonly errno: number };

export type Outcome =
  | { readonly kind: 'always'; readonly action: Action }
  | {
      readonly kind: 'tested';
      /** Alternatives. */
      readonly tests: readonly ArgumentTest[];
      readonly when: Action;
      readonly otherwise: Action;
    };

/** A seccomp filter as data; `bpf.ts` and `oci.ts` carry it out. */
export interface Filter {
  readonly calls: ReadonlyMap<string, Outcome>;
  /** Calls that are known and not named. */
  readonly otherwise: Action;
  /** Calls newer than our tables: ENOSYS makes programs fall back where EPERM would make them fail. */
  readonly newer: Action;
  /** Calls made by the rules of another machine. */
  readonly foreign: Action;
}

const EPERM = 1;
const ENOSYS = 38;

/** Docker's default policy for a container with these capabilities. */
export function policyFilter(machine: Machine, capabilities: readonly Capability[]): Filter {
  const calls = new Map<string, Outcome>();
  for (const rule of dockerPolicy) {
    if (rule.machines !== undefined && !rule.machines.includes(machine)) continue;
    if (rule.holding !== undefined && !capabilities.includes(rule.holding)) continue;
    if (rule.lacking !== undefined && capabilities.includes(rule.lacking)) continue;
    const action: Action = rule.errno === undefined ? 'allow' : { errno: rule.errno };
    const outcome: Outcome =
      rule.tests === undefined
        ? { kind: 'always', action }
        : { kind: 'tested', tests: rule.tests, when: action, otherwise: { errno: EPERM } };
    for (const name of callNames(rule.calls)) calls.set(name, outcome);
  }
  return { calls, otherwise: { errno: EPERM }, newer: { errno: ENOSYS }, foreign: 'kill' };
}

const fileTypeMask = 0xf000n;
const characterDevice = 0x2000n;
const blockDevice = 0x6000n;

/**
 * Makes changes of owner seem to succeed: for a user namespace with a single id, where packages' scripts would fail on the
 * first chown. Ownership is flattened to root. (The idea is Charliecloud's.)
 */
export function fakeRootFilter(): Filter {
  const pretend: Outcome = { kind: 'always', action: { errno: 0 } };
  const calls = new Map<string, Outcome>();
  for (const name of callNames(pretended)) calls.set(name, pretend);
  for (const [name, argument] of [
    ['mknod', 1],
    ['mknodat', 2],
  ] as const) {
    const tests = [characterDevice, blockDevice].map((value): ArgumentTest => {
      return { argument, is: 'masked', mask: fileTypeMask, value };
    });
    calls.set(name, { kind: 'tested', tests, when: { errno: 0 }, otherwise: 'allow' });
  }
  return { calls, otherwise: 'allow', newer: 'allow', foreign: 'allow' };
}

/**
 * Keeps a step from typing into the terminal that it was given (TIOCSTI, and TIOCLINUX on a console): what it pushed there would
 * be read, and run, by the shell that slipway was started from.
 */
export function terminalFilter(): Filter {
  const tests: readonly ArgumentTest[] = [{ argument: 1, is: 'intNoneOf', values: [0x5412, 0x541c] }];
  const calls = new Map<string, Outcome>([
    ['ioctl', { kind: 'tested', tests, when: 'allow', otherwise: { errno: EPERM } }],
  ]);
  return { calls, otherwise: 'allow', newer: 'allow', foreign: 'allow' };
}

const pretended = `capset chown chown32 fchown fchown32 fchownat lchown lchown32 setfsgid setfsgid32 setfsuid setfsuid32 setgid
  setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32
  setuid setuid32`;

function callNames(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
