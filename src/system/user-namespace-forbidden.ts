import fs from 'node:fs';
import { SystemError } from './error.ts';

/** A reason for which a machine refuses user namespaces, as seen in a file of /proc. */
interface Cause {
  readonly file: string;
  readonly matches: RegExp;
  readonly message: string;
  readonly hint: string;
}

const asRoot = 'or run as root';
const causes: readonly Cause[] = [
  {
    file: '/proc/sys/user/max_user_namespaces',
    matches: /^0$/m,
    message: 'user.max_user_namespaces is 0',
    hint: `sudo sysctl user.max_user_namespaces=10000, ${asRoot}`,
  },
  {
    file: '/proc/sys/kernel/unprivileged_userns_clone',
    matches: /^0$/m,
    message: 'kernel.unprivileged_userns_clone is 0',
    hint: `sudo sysctl kernel.unprivileged_userns_clone=1, ${asRoot}`,
  },
  {
    file: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    matches: /^[1-9]/m,
    message: 'AppArmor restricts them (kernel.apparmor_restrict_unprivileged_userns)',
    hint: `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, an AppArmor profile that allows userns, ${asRoot}`,
  },
  {
    file: '/proc/self/status',
    matches: /^Seccomp:\s*2$/m,
    message: 'a seccomp filter denies them, as in most containers',
    hint: 'start this container with --security-opt seccomp=unconfined, or run as root in it',
  },
];

/** The one clear message for a machine that refuses user namespaces: the cause where it can be seen, and the remedy. */
export function userNamespaceForbidden(
  saying: string,
  read: (file: string) => string | undefined = readIfThere,
): SystemError {
  const cause = causes.find(({ file, matches }) => matches.test(read(file) ?? ''));
  const details = saying.trim() === '' ? [] : [saying.trim()];
  const message = `an ordinary user may not make user namespaces here: ${cause?.message ?? 'the kernel refuses'}`;
  return new SystemError('USER_NAMESPACE_FORBIDDEN', message, { hint: cause?.hint ?? 'run as root', details });
}

function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
