import { type MountsRequest, parseSecret, parseSsh } from '../../build/index.ts';
import { listFlag } from '../flags.ts';

/** What the mounts of RUN are given. */
export const mountFlags = {
  secret: listFlag({
    description: 'Secret for steps that mount it, from a file, a variable of the environment or a command',
    helpValue: 'id=ID[,src=FILE|,env=NAME|,command=LINE]',
  }),
  ssh: listFlag({
    description: 'SSH agent, or private keys, for steps that mount them',
    helpValue: 'default|ID[=SOCKET|=KEY[,KEY…]]',
  }),
};

export interface MountFlags {
  readonly secret?: readonly string[] | undefined;
  readonly ssh?: readonly string[] | undefined;
}

/** @throws UsageError */
export function mountsRequest(flags: MountFlags): MountsRequest {
  return {
    secrets: (flags.secret ?? []).map((text) => parseSecret(text, process.env)),
    ssh: (flags.ssh ?? []).map(parseSsh),
  };
}
