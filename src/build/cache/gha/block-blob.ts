import { BuildError } from '../../error.ts';
import type { CallOptions } from '../../../oci/index.ts';
import { readAll, send } from './http.ts';

/** Each block is in memory, so that it can be sent again; a blob has 50,000 at most. */
export const blockSize = 32 * 1024 * 1024;

/** Writes a block blob to the signed URL of a storage that speaks Azure's protocol: whole, or block by block (of `blockSize` at most). Returns its size. */
export async function putBlockBlob(
  url: string,
  blocks: AsyncIterable<Buffer>,
  options: CallOptions & { readonly size: number },
): Promise<number> {
  const ids: string[] = [];
  let size = 0;
  for await (const block of blocks) {
    size += block.byteLength;
    if (options.size <= blockSize) {
      await put(url, block, { 'x-ms-blob-type': 'BlockBlob' }, options);
      return size;
    }
    // All ids of a blob have the same length.
    const id = Buffer.from(String(ids.length).padStart(6, '0')).toString('base64');
    await put(withQuery(url, { comp: 'block', blockid: id }), block, {}, options);
    ids.push(id);
  }
  const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`;
  await put(withQuery(url, { comp: 'blocklist' }), Buffer.from(list), { 'content-type': 'application/xml' }, options);
  return size;
}

/** The signature covers no query of ours; its own parameters stay as they are. */
function withQuery(url: string, values: Readonly<Record<string, string>>): string {
  return `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(values).toString()}`;
}

async function put(
  url: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
  { signal }: CallOptions,
): Promise<void> {
  const answer = await send(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', ...headers, 'content-length': String(body.byteLength) },
    body,
    signal,
  });
  const text = (await readAll(answer.body, 64 * 1024)).toString('utf8');
  if (answer.status === 201 || answer.status === 200) return;
  const code = /<Code>([^<]{1,100})<\/Code>/.exec(text)?.[1];
  throw new BuildError(
    'CACHE_UNAVAILABLE',
    `the cache's storage answered ${answer.status}${code === undefined ? '' : ` ${code}`}`,
  );
}
