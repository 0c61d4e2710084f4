import { type MountsRequest, parseSecret } from '../../build/index.ts';
import { listFlag } from '../flags.ts';

/** What the mounts of RUN are given. */
export const mountFlags = {
  secret: listFlag({
    description: 'Secret for steps that mount it, from a file, a variable of the environment or a command',
    helpValue: 'id=ID[,src=FILE|,env=NAME|,command=LINE]',
  }),
};

export interface MountFlags {
  readonly secret?: readonly string[] | undefined;
}

/** @throws UsageError */
export function mountsRequest(flags: MountFlags): MountsRequest {
  return { secrets: (flags.secret ?? []).map((text) => parseSecret(text, process.env)) };
}
