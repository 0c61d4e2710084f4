import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Answers one request; `seen.body` is complete. */
export type Script = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

export interface ScriptedServer {
  readonly host: string;
  readonly url: string;
  readonly seen: readonly Seen[];
  close(): Promise<void>;
}

export interface ScriptedServerOptions {
  /** Runs before the body is read; true where it dealt with the request. */
  readonly early?: (request: IncomingMessage, response: ServerResponse, seen: Seen[]) => boolean;
}

/** An http server on loopback that does as it is told, and remembers what it was asked. */
export async function scriptedServer(script: Script, options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      if (options.early?.(request, response, seen)) return;
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const { method = '', url = '', headers } = request;
      const entry = { method, url, headers, body: Buffer.concat(chunks) };
      seen.push(entry);
      await script(entry, response, request);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const host = `127.0.0.1:${address.port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { host, url: `http://${host}`, seen, close };
}

/** Answers with `status`, headers and body, and ends. */
export function reply(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number | string[]> = {},
  body: Uint8Array | string = '',
): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
