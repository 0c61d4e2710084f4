import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { findExecutable, minimalEnvironment, type Privileges } from '../system/index.ts';
import type { Isolation, IsolationChoice, IsolationReport } from './contract.ts';
import { ContainerError } from './error.ts';
import { runcWeaknesses } from './runc/weaknesses.ts';
import { sandboxMachine } from './sandbox/machine.ts';

type Finding =
  | { readonly usable: true; readonly report: IsolationReport }
  | { readonly usable: false; readonly reason: string };

/**
 * How containers will be separated here: runc where it can work, else the sandbox, which applies the same system call policy.
 * Looks at files and asks each tool for its version once (4 ms for runc); a container is not tried.
 * @throws ContainerError ISOLATION_UNAVAILABLE with the reasons
 */
export function chooseIsolation(choice: IsolationChoice, privileges: Privileges): IsolationReport {
  const wanted: readonly Isolation[] = choice === 'auto' ? ['runc', 'sandbox'] : [choice];
  const reasons: string[] = [];
  for (const isolation of wanted) {
    const finding = obstacle(privileges) ?? (isolation === 'runc' ? findRunc(privileges) : findSandbox(privileges));
    if (finding.usable) return finding.report;
    reasons.push(`${isolation}: ${finding.reason}`);
  }
  throw new ContainerError('ISOLATION_UNAVAILABLE', 'no container can be made here', {
    details: reasons,
    hint: 'run as root, or where user namespaces are allowed',
  });
}

/** What stands in the way of both. */
function obstacle(privileges: Privileges): Finding | undefined {
  if (privileges.kind === 'none') return unusable('an ordinary user has no rights to make one');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readText('/proc/self/status'))?.[1] ?? '0';
  const mayMount = (BigInt(`0x${effective}`) & (1n << 21n)) !== 0n; // CAP_SYS_ADMIN
  return mayMount ? undefined : unusable('this process may not mount (it lacks CAP_SYS_ADMIN)');
}

function findRunc(privileges: Privileges): Finding {
  const runc = findExecutable('runc');
  if (runc === undefined) return unusable('not installed');
  if (!/ - cgroup2? /.test(readText('/proc/self/mountinfo'))) return unusable('no cgroup file system is mounted');
  const version = /^runc version (\S+)/.exec(versionOf(runc))?.[1];
  if (version === undefined) return unusable(`${runc} does not tell its version`);
  const missing = [
    ...runcWeaknesses(version),
    ...(privileges.kind === 'root' ? [] : ['no cgroup limits in a user namespace']),
    ...(sandboxMachine() === undefined ? [`no system call policy for ${process.arch}`] : []),
    ...singleId(privileges),
  ];
  return { usable: true, report: { isolation: 'runc', description: `runc ${version}`, missing } };
}

const oldestKernel = [5, 9] as const; // close_range

function findSandbox(privileges: Privileges): Finding {
  if (sandboxMachine() === undefined) return unusable(`it is made for x64 and arm64, not for ${process.arch}`);
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1])) {
    return unusable(`Linux ${release()} is older than ${oldestKernel.join('.')}`);
  }
  if (!readText('/proc/self/status').includes('Seccomp:')) return unusable('the kernel has no seccomp');
  const unshare = findExecutable('unshare');
  const version = unshare === undefined ? undefined : /util-linux (\S+)/.exec(versionOf(unshare))?.[1];
  if (version === undefined) return unusable('unshare of util-linux is not installed');
  const missing = [
    privileges.kind === 'root'
      ? 'no cgroup unless there are limits: what a step uses is not counted'
      : 'no cgroup: what a step uses is neither limited nor counted',
    'device nodes other than those of /dev cannot be opened',
    ...(process.arch === 'arm64' ? ['32-bit programs do not run'] : []),
    ...singleId(privileges),
  ];
  return { usable: true, report: { isolation: 'sandbox', description: `sandbox (util-linux ${version})`, missing } };
}

function singleId(privileges: Privileges): readonly string[] {
  if (privileges.kind !== 'single') return [];
  return ['only one user id: changes of owner seem to succeed, and all files are root’s'];
}

function unusable(reason: string): Finding {
  return { usable: false, reason };
}

const versions = new Map<string, string>();

/** What `file --version` prints; empty if it fails. */
function versionOf(file: string): string {
  let text = versions.get(file);
  if (text === undefined) {
    const options = { env: minimalEnvironment(), encoding: 'utf8', timeout: 10_000 } as const;
    const result = spawnSync(file, ['--version'], options);
    versions.set(file, (text = result.status === 0 ? result.stdout : ''));
  }
  return text;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
