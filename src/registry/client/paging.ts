import { RegistryError } from '../error.ts';
import { readAll } from '../http/body.ts';
import { header, headerValues, type HttpResponse } from '../http/dispatch.ts';
import { isRecord } from '../record.ts';

const pageLimit = 8 * 1024 * 1024;
const mostPages = 10_000;
/** Of all pages of one list; a million tags are less. Bytes. */
const mostBytes = 256 * 1024 * 1024;

export interface Page {
  readonly response: HttpResponse;
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * Follows a list from page to page by `Link: <…>; rel="next"`. The next page must be on the same origin and not be one
 * we have seen; there are at most 10,000.
 * @param get gives the successful answer for a page's address
 * @throws RegistryError BAD_RESPONSE
 */
export async function* pages(first: URL, get: (url: URL) => Promise<HttpResponse>): AsyncGenerator<Page> {
  const seen = new Set<string>();
  let bytes = 0;
  for (let url: URL | undefined = first; url !== undefined; ) {
    if (seen.has(url.href) || seen.size >= mostPages) {
      throw new RegistryError('BAD_RESPONSE', `the pages of ${url.host} have no end`);
    }
    seen.add(url.href);
    const response = await get(url);
    const body = await readAll(response.body, pageLimit);
    bytes += body.length;
    if (bytes > mostBytes)
      throw new RegistryError('TOO_LARGE', `the list of ${url.host} is longer than ${mostBytes} bytes`);
    yield { response, document: objectIn(response, body) };
    url = nextPage(response, url);
  }
}

/** A JSON object as the body, whatever its Content-Type (ECR says text/plain). @throws RegistryError BAD_RESPONSE */
function objectIn(response: HttpResponse, body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(body.toString('utf8'));
    if (isRecord(document)) return document;
  } catch {
    // told below
  }
  const type = header(response, 'content-type') ?? 'no type';
  throw new RegistryError(
    'BAD_RESPONSE',
    `${response.url.host} answered a list that is no JSON object (${type.slice(0, 80)})`,
  );
}

function nextPage(response: HttpResponse, current: URL): URL | undefined {
  for (const value of headerValues(response, 'link')) {
    for (const match of value.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^\s;,]+))*)/g)) {
      if (!/;\s*rel\s*=\s*"?next"?\s*(?:;|$)/i.test(match[2] ?? '')) continue;
      const url = URL.parse(match[1] ?? '', current.href);
      if (url === null || url.origin !== current.origin) {
        throw new RegistryError('BAD_RESPONSE', `${current.host} continues its list at another place`);
      }
      return url;
    }
  }
  return undefined;
}

/**
 * A list of a page, `null` being Go's word for an empty one. An answer that has none is no empty list: whoever makes things
 * the same elsewhere would take away all that is there.
 * @throws RegistryError BAD_RESPONSE
 */
export function listIn(document: Page['document'], name: string, host: string): readonly unknown[] {
  const value = Object.hasOwn(document, name) ? document[name] : undefined;
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw new RegistryError('BAD_RESPONSE', `${host} answered without a list of ${name}`);
}

/** The same of texts. @throws RegistryError BAD_RESPONSE */
export function stringsIn(document: Page['document'], name: string, host: string): readonly string[] {
  const list = listIn(document, name, host);
  const strings = list.filter((item) => typeof item === 'string');
  if (strings.length === list.length) return strings;
  throw new RegistryError('BAD_RESPONSE', `${host} answered a list of ${name} in which not all are texts`);
}
