import { connect as connectTcp, type Socket } from 'node:net';
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls';

export interface Terminator {
  readonly host: string;
  readonly port: number;
  /** The name in the certificate that each connection showed; '' for none. */
  readonly clients: readonly string[];
  close(): Promise<void>;
}

/** Speaks TLS before a server that does not. */
export async function terminator(to: { readonly port: number }, options: TlsOptions): Promise<Terminator> {
  const clients: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(options, (socket: TLSSocket) => {
    const { subject } = socket.getPeerCertificate();
    const name = (subject as { CN?: string } | undefined)?.CN;
    clients.push(name ?? '');
    const inner = connectTcp(to.port, '127.0.0.1');
    for (const each of [socket, inner]) {
      sockets.add(each);
      each.on('error', () => {
        socket.destroy();
        inner.destroy();
      });
    }
    socket.pipe(inner).pipe(socket);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { host: `127.0.0.1:${address.port}`, port: address.port, clients, close };
}

/** The port at the end of `127.0.0.1:5000`. */
export function portOf(host: string): number {
  return Number(/:(\d+)$/.exec(host)?.[1]);
}
