import { type Socket, connect } from 'node:net';
import { FrameReader, frame } from './frames.ts';
import { parsePrivateKey, type SshKey } from './private-key.ts';
import { WireReader, wireNumber, wireString } from './wire.ts';

/** Message numbers of draft-ietf-sshm-ssh-agent. */
export const messages = { failure: 5, listIdentities: 11, identities: 12, signRequest: 13, signature: 14 } as const;

const failure = Buffer.of(messages.failure);

/** What answers the requests of one client, in their order. */
export interface AgentSession extends Disposable {
  answer(request: Buffer): Promise<Buffer>;
}

/** Where an agent's answers come from, as it is handed to the thread that runs a step. */
export type AgentSource =
  | { readonly kind: 'socket'; readonly path: string }
  /** Contents of private key files. */
  | { readonly kind: 'keys'; readonly keys: readonly Uint8Array[] };

/**
 * A session with the agent at `source`. A step may ask which keys there are, and for signatures; it can neither add or remove keys,
 * nor lock the agent, nor use its extensions, as with BuildKit.
 */
export function openSession(source: AgentSource): AgentSession {
  const inner = source.kind === 'socket' ? new ForwardedSession(source.path) : new KeySession(source.keys);
  return {
    answer: async (request) => {
      const [type] = request;
      return type === messages.listIdentities || type === messages.signRequest ? inner.answer(request) : failure;
    },
    [Symbol.dispose]: () => inner[Symbol.dispose](),
  };
}

/** Passes requests on to a running agent. We ask in our own name: an agent answers its own user alone. */
class ForwardedSession implements AgentSession {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #waiting: ((answer: Buffer) => void) | undefined;
  #ended = false;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('data', (chunk: Buffer) => {
      for (const answer of this.#reader.push(chunk)) this.#settle(answer);
      if (this.#reader.broken) this.#socket.destroy();
    });
    this.#socket.on('error', () => {}); // told by its end
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#settle(failure);
    });
  }

  answer(request: Buffer): Promise<Buffer> {
    if (this.#ended) return Promise.resolve(failure);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#waiting = resolve;
    this.#socket.write(frame(request));
    return promise;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #settle(answer: Buffer): void {
    this.#waiting?.(answer);
    this.#waiting = undefined;
  }
}

/** An agent of our own with keys from files. */
class KeySession implements AgentSession {
  readonly #keys: readonly SshKey[];

  constructor(files: readonly Uint8Array[]) {
    this.#keys = files.map((file) => parsePrivateKey(Buffer.from(file)));
  }

  async answer(request: Buffer): Promise<Buffer> {
    if (request[0] === messages.listIdentities) {
      const keys = this.#keys.flatMap(({ blob, comment }) => [wireString(blob), wireString(comment)]);
      return Buffer.concat([Buffer.of(messages.identities), wireNumber(this.#keys.length), ...keys]);
    }
    try {
      const reader = new WireReader(request.subarray(1));
      const [blob, data, flags] = [reader.string(), reader.string(), reader.uint32()];
      const key = this.#keys.find((each) => each.blob.equals(blob));
      if (key === undefined) return failure;
      return Buffer.concat([Buffer.of(messages.signature), wireString(key.sign(data, flags))]);
    } catch {
      return failure; // a request that is cut off, or a hash that this OpenSSL refuses
    }
  }

  [Symbol.dispose](): void {}
}
