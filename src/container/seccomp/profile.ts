import { arch, release } from 'node:os';
import type { Capability } from '../capabilities.ts';
import { ContainerError } from '../error.ts';

/** A policy file of docker's form (moby/profiles, seccomp), read; which of its rules count is decided where it is used. */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number | undefined;
  /** Of the runtime specification: `SCMP_ARCH_…`. */
  readonly architectures?: readonly string[] | undefined;
  readonly archMap?:
    | readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[]
    | undefined;
  readonly syscalls: readonly ProfileRule[];
}

interface ProfileRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number | undefined;
  readonly args: readonly ProfileArgument[];
  readonly includes: ProfileCondition;
  readonly excludes: ProfileCondition;
}

interface ProfileArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number | undefined;
  readonly op: string;
}

interface ProfileCondition {
  readonly caps: readonly string[];
  readonly arches: readonly string[];
  readonly minKernel?: string | undefined;
}

/** `linux.seccomp` of the runtime specification, as a profile gives it. */
export interface OciProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number | undefined;
  readonly architectures?: readonly string[] | undefined;
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number | undefined;
    readonly args?: readonly ProfileArgument[] | undefined;
  }[];
}

/**
 * Reads a policy file.
 * @throws ContainerError SPEC_INVALID
 */
export function parseSeccompProfile(text: string): SeccompProfile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ContainerError('SPEC_INVALID', 'the seccomp profile is not JSON', { cause });
  }
  const profile = record(json, 'it');
  return {
    defaultAction: action(profile['defaultAction'], 'defaultAction'),
    defaultErrnoRet: optionalNumber(profile['defaultErrnoRet'], 'defaultErrnoRet'),
    architectures:
      profile['architectures'] === undefined ? undefined : texts(profile['architectures'], 'architectures'),
    archMap: list(profile['archMap'], 'archMap').map((entry) => {
      const { architecture, subArchitectures } = record(entry, 'archMap');
      return {
        architecture: textOf(architecture, 'architecture'),
        subArchitectures: texts(subArchitectures, 'subArchitectures'),
      };
    }),
    syscalls: list(profile['syscalls'], 'syscalls').map(rule),
  };
}

/** The rules of a profile that count here for a container with these capabilities. */
export function ociProfile(profile: SeccompProfile, capabilities: readonly Capability[]): OciProfile {
  const own = profile.archMap?.find(({ architecture }) => architecture === architectureNames[arch()]);
  const architectures = own === undefined ? profile.architectures : [own.architecture, ...own.subArchitectures];
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures === undefined ? {} : { architectures }),
    syscalls: profile.syscalls
      .filter((each) => counts(each, capabilities))
      .map(({ names, action: does, errnoRet, args }) => ({
        names,
        action: does,
        ...(errnoRet === undefined ? {} : { errnoRet }),
        ...(args.length === 0 ? {} : { args }),
      })),
  };
}

const architectureNames: Readonly<Record<string, string>> = {
  x64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
  riscv64: 'SCMP_ARCH_RISCV64',
  s390x: 'SCMP_ARCH_S390X',
  ppc64: 'SCMP_ARCH_PPC64LE',
};

/** What docker's files call machines in conditions: GOARCH. */
const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ppc64: 'ppc64le' };

function counts({ includes, excludes }: ProfileRule, capabilities: readonly string[]): boolean {
  const machine = goArchitectures[arch()] ?? arch();
  const holds = (name: string): boolean => capabilities.includes(name);
  if (excludes.caps.some(holds) || excludes.arches.includes(machine)) return false;
  if (excludes.minKernel !== undefined && isAtLeast(excludes.minKernel)) return false;
  if (!includes.caps.every(holds)) return false;
  if (includes.arches.length > 0 && !includes.arches.includes(machine)) return false;
  return includes.minKernel === undefined || isAtLeast(includes.minKernel);
}

function isAtLeast(version: string): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function rule(value: unknown): ProfileRule {
  const entry = record(value, 'syscalls');
  const single = entry['name'] === undefined || entry['name'] === '' ? [] : [textOf(entry['name'], 'name')];
  return {
    names: [...single, ...texts(entry['names'], 'names')],
    action: action(entry['action'], 'action'),
    errnoRet: optionalNumber(entry['errnoRet'], 'errnoRet'),
    args: list(entry['args'], 'args').map(argument),
    includes: condition(entry['includes'], 'includes'),
    excludes: condition(entry['excludes'], 'excludes'),
  };
}

function argument(value: unknown): ProfileArgument {
  const entry = record(value, 'args');
  const op = textOf(entry['op'], 'op');
  if (!/^SCMP_CMP_[A-Z_]+$/.test(op)) invalid(`op ${JSON.stringify(op)} is none`);
  const valueTwo = optionalNumber(entry['valueTwo'], 'valueTwo');
  return {
    index: optionalNumber(entry['index'], 'index') ?? 0,
    value: optionalNumber(entry['value'], 'value') ?? 0,
    ...(valueTwo === undefined ? {} : { valueTwo }),
    op,
  };
}

function condition(value: unknown, name: string): ProfileCondition {
  const entry = value === undefined || value === null ? {} : record(value, name);
  const minKernel = entry['minKernel'];
  return {
    caps: texts(entry['caps'], `${name}.caps`),
    arches: texts(entry['arches'], `${name}.arches`),
    minKernel: minKernel === undefined ? undefined : textOf(minKernel, `${name}.minKernel`),
  };
}

function action(value: unknown, name: string): string {
  const found = textOf(value, name);
  if (!/^SCMP_ACT_[A-Z_]+$/.test(found)) invalid(`${name} ${JSON.stringify(found)} is no action`);
  return found;
}

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) invalid(`${name} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) invalid(`${name} is not a list`);
  return value as readonly unknown[];
}

function texts(value: unknown, name: string): readonly string[] {
  return list(value, name).map((each) => textOf(each, name));
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') invalid(`${name} is not a text`);
  return value as string;
}

function optionalNumber(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') invalid(`${name} is not a number`);
  return value as number;
}

function invalid(message: string): never {
  throw new ContainerError('SPEC_INVALID', `the seccomp profile cannot be used: ${message}`);
}
