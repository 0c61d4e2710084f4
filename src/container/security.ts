import { readFileSync } from 'node:fs';
import type { Security } from './confinement.ts';
import type { Isolation } from './contract.ts';
import { ContainerError } from './error.ts';

/**
 * Refuses what cannot be heeded here: a promise of more safety that is not kept is worse than none.
 * @throws ContainerError SECURITY_UNAVAILABLE
 */
export function checkSecurity(security: Security | undefined, isolation: Isolation): void {
  if (security === undefined) return;
  if (typeof security.seccomp === 'object' && isolation !== 'runc') {
    unavailable('a seccomp profile of one’s own needs runc', 'use --isolation=runc, or the built-in policy');
  }
  const { apparmor } = security;
  if (apparmor === undefined || apparmor === 'unconfined') return;
  if (isolation !== 'runc') unavailable(`the AppArmor profile ${apparmor} needs runc`, 'use --isolation=runc');
  if (!hasAppArmor()) unavailable(`the AppArmor profile ${apparmor} cannot be used: AppArmor is not enabled here`);
}

export function hasAppArmor(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y');
  } catch {
    return false;
  }
}

function unavailable(message: string, hint?: string): never {
  throw new ContainerError('SECURITY_UNAVAILABLE', message, { hint });
}
