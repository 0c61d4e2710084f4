import type { ArgumentTest } from './policy.ts';
import { type SyscallTable, syscallNumbers } from './numbers.ts';
import type { Action, Filter, Machine, Outcome } from './filter.ts';

/** `linux.seccomp` of the runtime specification. */
export interface OciSeccomp {
  readonly defaultAction: OciAction;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly OciRule[];
}

type OciAction = 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';

interface OciRule {
  readonly names: readonly string[];
  readonly action: OciAction;
  readonly errnoRet?: number;
  readonly args?: readonly OciArgument[];
}

interface OciArgument {
  readonly index: number;
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_MASKED_EQ';
  readonly value: number;
  readonly valueTwo?: number;
}

/** Without docker's x32: hardly a kernel has it, its calls are refused, and its rules would cost each start 7 ms of CPU. */
const architectures: Readonly<Record<Machine, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

const tables: Readonly<Record<Machine, readonly [own: SyscallTable, other: SyscallTable]>> = {
  x64: ['x64', 'i386'],
  arm64: ['arm64', 'arm64'],
};

const EPERM = 1;

/**
 * A filter for an OCI runtime. Names that its libseccomp does not know are left out by the runtime itself; calls newer than
 * the policy get ENOSYS from it, too.
 */
export function ociSeccomp(filter: Filter, machine: Machine): OciSeccomp {
  const allowed: string[] = [];
  const syscalls: OciRule[] = [];
  for (const [name, outcome] of filter.calls) {
    if (outcome.kind === 'tested') syscalls.push(...testedRules(name, outcome));
    else if (outcome.action === 'allow') allowed.push(name);
    else syscalls.push({ names: [name], ...ociAction(outcome.action) });
  }
  if (filter.otherwise === 'allow') {
    const others = syscalls.filter((each) => each.action !== 'SCMP_ACT_ALLOW');
    return { defaultAction: 'SCMP_ACT_ALLOW', architectures: architectures[machine], syscalls: others };
  }
  syscalls.unshift({ names: highestFirst(allowed, machine), action: 'SCMP_ACT_ALLOW' });
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: architectures[machine],
    syscalls,
  };
}

/** libseccomp keeps calls in a list by number, lowest first, and looks for a new one's place from its head: 1 ms of each start. */
function highestFirst(names: readonly string[], machine: Machine): readonly string[] {
  const [own, other] = tables[machine];
  const numberOf = (name: string): number => syscallNumbers(own).get(name) ?? syscallNumbers(other).get(name) ?? -1;
  return names.toSorted((a, b) => numberOf(b) - numberOf(a) || (a < b ? -1 : 1));
}

/** The second filter's calls go before the first's: libseccomp holds one filter, the kernel would run both. */
export function overlayFilters(base: Filter, over: Filter): Filter {
  return { ...base, calls: new Map([...base.calls, ...over.calls]) };
}

/**
 * libseccomp takes rules of one action besides the default one for a call with arguments, so `otherwise` is spelled out
 * where it is not the default.
 */
function testedRules(name: string, outcome: Extract<Outcome, { kind: 'tested' }>): readonly OciRule[] {
  const rules = outcome.tests.flatMap((test) => expand(test).map((arg) => rule(name, outcome.when, arg)));
  const isDefault = typeof outcome.otherwise === 'object' && outcome.otherwise.errno === EPERM;
  if (isDefault) return rules;
  return [...rules, ...remainder(outcome.tests).map((arg) => rule(name, outcome.otherwise, arg))];
}

function rule(name: string, action: Action, arg: OciArgument): OciRule {
  return { names: [name], ...ociAction(action), args: [arg] };
}

function ociAction(action: Action): Pick<OciRule, 'action' | 'errnoRet'> {
  if (typeof action === 'object') return { action: 'SCMP_ACT_ERRNO', errnoRet: action.errno };
  if (action === 'allow') return { action: 'SCMP_ACT_ALLOW' };
  throw new RangeError('no call of a policy kills'); // unreachable: `kill` is for foreign machines only
}

function expand(test: ArgumentTest): readonly OciArgument[] {
  switch (test.is) {
    case 'equal':
      return [{ index: test.argument, op: 'SCMP_CMP_EQ', value: Number(test.value) }];
    case 'masked':
      return [masked(test.argument, test.mask, test.value)];
    case 'intNoneOf':
      return complement(test.values).map(({ mask, value }) => masked(test.argument, mask, value));
  }
}

function masked(index: number, mask: bigint, value: bigint): OciArgument {
  return { index, op: 'SCMP_CMP_MASKED_EQ', value: Number(mask), valueTwo: Number(value) };
}

/** The 32-bit numbers that are none of `values`, as (number & mask) == value: there is no masked "not equal". */
function complement(values: readonly number[]): readonly { readonly mask: bigint; readonly value: bigint }[] {
  const found: { mask: bigint; value: bigint }[] = [];
  const split = (bit: number, mask: bigint, value: bigint, inside: readonly number[]): void => {
    if (inside.length === 0) found.push({ mask, value });
    if (inside.length === 0 || bit < 0) return;
    const one = 1n << BigInt(bit);
    const isSet = (number: number): boolean => (BigInt(number) & one) !== 0n;
    const set = inside.filter(isSet);
    const clear = inside.filter((number) => !isSet(number));
    split(bit - 1, mask | one, value | one, set);
    split(bit - 1, mask | one, value, clear);
  };
  split(31, 0n, 0n, values);
  return found;
}

/** The other values of the field that masked tests with one mask and one argument look at, of at most four bits. */
function remainder(tests: readonly ArgumentTest[]): readonly OciArgument[] {
  const first = tests[0];
  if (first?.is !== 'masked') throw new RangeError('only masked tests have a remainder');
  const lowest = first.mask & -first.mask;
  const taken = new Set(tests.map((test) => (test.is === 'masked' ? test.value : -1n)));
  const others: OciArgument[] = [];
  for (let value = 0n; value <= first.mask; value += lowest) {
    if (!taken.has(value)) others.push(masked(first.argument, first.mask, value));
  }
  return others;
}
