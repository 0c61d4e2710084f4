import { createServer, request } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface CountedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Bytes of the request's body and of the answer's. */
  readonly sent: number;
  readonly received: number;
}

export interface CountingProxy {
  readonly host: string;
  /** What went through since the last call, in the order of their ends. */
  take(): readonly CountedRequest[];
  close(): Promise<void>;
}

/** Passes everything on to a server of this machine and counts the bytes of bodies. */
export async function countingProxy(to: string): Promise<CountingProxy> {
  const [host, port] = to.split(':');
  const counted: CountedRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    let sent = 0;
    incoming.on('data', (chunk: Buffer) => (sent += chunk.length));
    // The Host header stays ours: the server's Location headers lead back to us.
    const { method = '', url = '', headers } = incoming;
    const forward = request({ host, port, method, path: url, headers }, (answer) => {
      let received = 0;
      answer.on('data', (chunk: Buffer) => (received += chunk.length));
      answer.on('end', () => counted.push({ method, path: url, status: answer.statusCode ?? 0, sent, received }));
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    forward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forward.destroy());
    incoming.pipe(forward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => counted.splice(0),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
