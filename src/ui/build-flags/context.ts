import { option } from '@oclif/core/flags';
import type { BuildRequest } from '../../build/index.ts';

/** How files of contexts are read. */
export const contextFlags = {
  'context-modes': option({
    options: ['keep', 'git'] as const,
    description:
      'Permissions of context files: as they are, or as git keeps them (0755, 0644), whatever the umask of a clone',
    default: 'keep',
  })(),
} as const;

export interface ContextFlags {
  readonly 'context-modes': 'keep' | 'git';
}

export function contextOf(flags: ContextFlags): Pick<BuildRequest, 'contextModes'> {
  return { contextModes: flags['context-modes'] === 'git' ? 'git' : undefined };
}
