import os from 'node:os';
import type { RootMount } from './root-mount.ts';

export type OverlayMount = Extract<RootMount, { kind: 'overlay' }>;

/** The kernel takes one page of options, with the NUL; the smallest page is 4096 bytes. */
export const longestOptions = 4095;

/**
 * The option string of mount(2) for an overlay. What a kernel older than the option would refuse is left out where only
 * speed is lost: `volatile` (5.10), `metacopy=off` (4.19, always off before).
 * `userxattr` rules out redirects and metacopy by itself, and kernels that follow redirects by default refuse it beside
 * `redirect_dir=off`.
 */
export function overlayOptions(root: OverlayMount, release: string = os.release()): string {
  const options = [`lowerdir=${root.lowers.join(':')}`];
  if (root.upper !== undefined) options.push(`upperdir=${root.upper}`, `workdir=${root.work ?? ''}`);
  options.push('index=off');
  if (root.userXattr) options.push('userxattr');
  else options.push('redirect_dir=off', ...(isAtLeast(release, 4, 19) ? ['metacopy=off'] : []));
  if (root.volatile && root.upper !== undefined && isAtLeast(release, 5, 10)) options.push('volatile');
  return options.join(',');
}

/** Whether a path can stand in the options as it is. */
export function isPlainOverlayPath(path: string): boolean {
  return path !== '' && !/[,:\\"]/.test(path);
}

function isAtLeast(release: string, major: number, minor: number): boolean {
  const [, first = '0', second = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}
