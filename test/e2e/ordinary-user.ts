import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run-cli.ts';

/** A user of this machine with subordinate ids, for the tests of rootless work; only root can make one. */
export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  remove(): Promise<void>;
}

/** Why rootless work cannot be tested here; undefined where it can. */
export function whyNoOrdinaryUser(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const asNobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', 'unshare', '--user', 'true'];
  return spawnSync('setpriv', asNobody).status === 0 ? undefined : 'no ordinary user may make user namespaces here';
}

export async function ordinaryUser(): Promise<OrdinaryUser> {
  const name = `slipway-test-${randomInt(1e6)}`;
  const added = await run('/usr/sbin/useradd', ['--no-create-home', '--shell', '/bin/sh', name]);
  if (added.code !== 0) throw new Error(`useradd: ${added.stderr}`);
  const ids = (await run('/usr/bin/id', ['-u', name])).stdout.trim();
  const group = (await run('/usr/bin/id', ['-g', name])).stdout.trim();
  return {
    name,
    uid: Number(ids),
    gid: Number(group),
    remove: async () => {
      await run('/usr/bin/pkill', ['-KILL', '-u', ids]);
      await rm(join(tmpdir(), `slipway-${ids}`), { recursive: true, force: true }); // marks of stores, else kept until a restart
      await run('/usr/sbin/userdel', [name]); // last: another test's user may have the same ids at once
    },
  };
}
