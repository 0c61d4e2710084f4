import { RegistryError } from '../error.ts';
import { readAll } from '../http/body.ts';
import { header, headerValues, type HttpResponse } from '../http/dispatch.ts';
import { isRecord } from '../record.ts';

const pageLimit = 8 * 1024 * 1024;
const mostPages = 10_000;

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
  for (let url: URL | undefined = first; url !== undefined; ) {
    if (seen.has(url.href) || seen.size >= mostPages) {
      throw new RegistryError('BAD_RESPONSE', `the pages of ${url.host} have no end`);
    }
    seen.add(url.href);
    const response = await get(url);
    yield { response, document: await readObject(response) };
    url = nextPage(response, url);
  }
}

/** A JSON object as the body, whatever its Content-Type (ECR says text/plain). @throws RegistryError BAD_RESPONSE, TOO_LARGE */
export async function readObject(response: HttpResponse): Promise<Readonly<Record<string, unknown>>> {
  const body = await readAll(response.body, pageLimit);
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

/** The strings of a list, `null` being Go's word for an empty one. */
export function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
