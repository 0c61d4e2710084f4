import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerMount } from '../../container/index.ts';
import { PrivateTmpfs, type Privileges } from '../../system/index.ts';
import type { Credentials } from './credentials.ts';
import { AgentSocket } from './ssh/serve.ts';

/** Secrets and agents as mounts, while a step runs: files and sockets in memory that this thread and the step alone can see. */
export class OpenCredentials implements AsyncDisposable {
  readonly mounts: ContainerMount[] = [];
  #folder: PrivateTmpfs | undefined;
  readonly #sockets: AgentSocket[] = [];

  /** @param folder where the memory is mounted, not there yet */
  static async open(credentials: Credentials, folder: string, privileges: Privileges): Promise<OpenCredentials> {
    const opened = new OpenCredentials();
    try {
      await opened.#fill(credentials, folder, privileges);
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #fill({ files, agents }: Credentials, folder: string, privileges: Privileges): Promise<void> {
    if (files.length + agents.length === 0) return;
    const size = files.reduce((sum, { value }) => sum + value.length + 65_536, 1 << 20);
    this.#folder = new PrivateTmpfs(folder, { size, executable: false });
    for (const [index, { value, target, uid, gid, mode }] of files.entries()) {
      const source = join(folder, `secret-${index}`);
      writeFileSync(source, value, { mode: 0o600 });
      if (privileges.kind !== 'single') chownSync(source, uid, gid);
      chmodSync(source, mode);
      this.mounts.push({ kind: 'bind', source, target, readOnly: true });
    }
    for (const [index, { source, target, uid, gid, mode }] of agents.entries()) {
      // With one id there is nobody else whom it could belong to.
      const owner = privileges.kind === 'single' ? { uid: 0, gid: 0, mode } : { uid, gid, mode };
      const socket = await AgentSocket.open({ folder, name: `agent-${index}` }, source, owner);
      this.#sockets.push(socket);
      this.mounts.push({ kind: 'bind', source: socket.path, target, readOnly: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) await socket[Symbol.asyncDispose]();
    this.#folder?.[Symbol.dispose]();
  }
}
