import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import type { MountsRequest } from '../mounts/request.ts';
import { SecretSources } from '../mounts/secrets.ts';
import { agentSource } from '../mounts/ssh/request.ts';
import { AgentSocket } from '../mounts/ssh/serve.ts';
import type { RemoteAccess } from './secrets.ts';

export interface BuildAccessOptions {
  readonly request: MountsRequest | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** Makes an empty folder that lives as long as the build. */
  readonly scratch: () => Promise<string>;
  readonly signal?: AbortSignal | undefined;
}

/** What `--secret` and `--ssh default` of one build let it show to servers. */
export class BuildAccess implements RemoteAccess, AsyncDisposable {
  readonly secrets: SecretSources;
  readonly #options: BuildAccessOptions;
  readonly #opened = new AsyncDisposableStack();
  #agent: Promise<string | undefined> | undefined;

  constructor(options: BuildAccessOptions) {
    this.#options = options;
    const { request, environment, signal } = options;
    this.secrets = new SecretSources(request?.secrets ?? [], { environment, signal });
  }

  secret(id: string): Promise<Uint8Array | undefined> {
    return this.secrets.get(id);
  }

  sshAgent(): Promise<string | undefined> {
    return (this.#agent ??= this.#openAgent());
  }

  async #openAgent(): Promise<string | undefined> {
    const { request, environment, scratch } = this.#options;
    const source = await agentSource('default', request?.ssh ?? [], environment);
    if (source === undefined || source.kind === 'socket') return source?.path;
    const folder = await scratch();
    this.#opened.use(await AgentSocket.open({ folder, name: 'agent' }, source, { uid: 0, gid: 0, mode: 0o600 }));
    // A socket's address has at most 107 bytes, wherever the store is.
    const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    this.#opened.defer(() => closeSync(fd));
    return join(`/proc/${process.pid}/fd/${fd}`, 'agent');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
