import { once } from 'node:events';
import { chmodSync, closeSync, constants, lchownSync, openSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type AgentSource, openSession } from './agent.ts';
import { FrameReader, frame } from './frames.ts';

export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** A socket at which steps find an agent. */
export class AgentSocket implements AsyncDisposable {
  readonly path: string;
  readonly #server: Server;
  readonly #folder: number;
  readonly #clients = new Set<Socket>();

  /** Listens at `name` in `folder`, where `owner` can connect. */
  static async open(
    place: { readonly folder: string; readonly name: string },
    source: AgentSource,
    owner: SocketOwner,
  ): Promise<AgentSocket> {
    const socket = new AgentSocket(place, source);
    await socket.#listen(place.name, owner);
    return socket;
  }

  private constructor(place: { readonly folder: string; readonly name: string }, source: AgentSource) {
    this.path = join(place.folder, place.name);
    this.#folder = openSync(place.folder, constants.O_RDONLY | constants.O_DIRECTORY);
    this.#server = createServer((client) => {
      this.#clients.add(client);
      client.once('close', () => this.#clients.delete(client));
      serve(client, source);
    });
  }

  async #listen(name: string, owner: SocketOwner): Promise<void> {
    // A socket's address has at most 107 bytes, so the folder is named by its descriptor.
    const address = `/proc/self/fd/${this.#folder}/${name}`;
    this.#server.listen(address);
    await once(this.#server, 'listening');
    lchownSync(address, owner.uid, owner.gid);
    chmodSync(address, owner.mode);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const client of this.#clients) client.destroy();
    await closed;
    closeSync(this.#folder);
  }
}

/** Requests are answered one after another; a client that sends what is none is left. */
function serve(client: Socket, source: AgentSource): void {
  const session = openSession(source);
  const reader = new FrameReader();
  const answerAll = async (chunk: Buffer): Promise<void> => {
    client.pause(); // what it asks meanwhile waits on its side
    for (const request of reader.push(chunk)) {
      const answer = await session.answer(request);
      if (!client.destroyed) client.write(frame(answer));
    }
    if (reader.broken) client.destroy();
    else client.resume();
  };
  client.on('data', (chunk: Buffer) => void answerAll(chunk));
  client.on('error', () => {}); // told by its end
  client.once('close', () => session[Symbol.dispose]());
}
