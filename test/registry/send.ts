import { request as httpRequest } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The code of the first error in the body. */
  readonly code: string | undefined;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array | string;
  /** Sends the body without telling its length. */
  readonly streamed?: boolean;
}

/** One request to a registry at `host:port`, by node:http and not by fetch: paths go out as written, `..` and all. */
export function send(host: string, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const { headers = {}, body = '', streamed = false } = options;
  const [hostname, port] = host.split(':');
  const length = streamed || method === 'GET' || method === 'HEAD' ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const target = { hostname, port, method, path, headers: { ...length, ...headers } };
    const outgoing = httpRequest(target, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: bytes, code: codeIn(bytes) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function codeIn(body: Buffer): string | undefined {
  try {
    return (JSON.parse(body.toString()) as { errors?: { code?: string }[] }).errors?.[0]?.code;
  } catch {
    return undefined;
  }
}
