import { type MountsRequest, parseSecret, parseSsh } from '../../build/index.ts';
import { string } from '@oclif/core/flags';
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
  'cache-mount-import': string({
    description: 'Read cache mounts of an earlier export that are not here, or older, before the first step',
    helpValue: 'DIR',
  }),
  'cache-mount-export': string({
    description: 'Write the cache mounts of the Dockerfile, each as an archive, after the build',
    helpValue: 'DIR',
  }),
};

export interface MountFlags {
  readonly secret?: readonly string[] | undefined;
  readonly ssh?: readonly string[] | undefined;
  readonly 'cache-mount-import'?: string | undefined;
  readonly 'cache-mount-export'?: string | undefined;
}

/** @throws UsageError */
export function mountsRequest(flags: MountFlags): MountsRequest {
  return {
    secrets: (flags.secret ?? []).map((text) => parseSecret(text, process.env)),
    cacheMountImport: flags['cache-mount-import'],
    cacheMountExport: flags['cache-mount-export'],
    ssh: (flags.ssh ?? []).map(parseSsh),
  };
}
