import { createHash } from 'node:crypto';
import { open, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { BuildError } from './error.ts';

export interface DownloadOptions {
  /** `sha256:…` that the content must have. */
  readonly checksum?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const maxRedirects = 10;
const longestName = 255; // bytes, of nearly every file system

/**
 * ADD's download of `url` into `folder`: mode 0600, time from Last-Modified, name from the URL's path. Returns the name.
 * @throws BuildError DOWNLOAD_FAILED, CHECKSUM_MISMATCH
 */
export async function download(url: string, folder: string, options: DownloadOptions): Promise<string> {
  if (!URL.canParse(url)) throw new BuildError('DOWNLOAD_FAILED', 'ADD: the source is no valid URL');
  const name = fileNameOf(url);
  const { body, lastModified } = await get(url, options.signal);
  const sum = createHash('sha256');
  const file = await open(join(folder, name), 'wx', 0o600);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      sum.update(chunk);
      await file.writeFile(chunk);
    }
  } catch (error) {
    throw new BuildError('DOWNLOAD_FAILED', `ADD ${withoutSecrets(url)}: ${messageOf(error)}`, { cause: error });
  } finally {
    await file.close();
  }
  const found = `sha256:${sum.digest('hex')}`;
  if (options.checksum !== undefined && options.checksum !== found) {
    throw new BuildError(
      'CHECKSUM_MISMATCH',
      `ADD ${withoutSecrets(url)}: digest mismatch ${found}: ${options.checksum}`,
    );
  }
  if (lastModified !== undefined) await utimes(join(folder, name), lastModified, lastModified);
  return name;
}

async function get(
  url: string,
  signal: AbortSignal | undefined,
): Promise<{ body: AsyncIterable<Buffer>; lastModified: Date | undefined }> {
  const { request } = await import('undici');
  let at = new URL(url);
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const answer = await request(at, { headers: { 'accept-encoding': 'identity' }, signal: signal ?? null }).catch(
      (error: unknown) => {
        throw new BuildError('DOWNLOAD_FAILED', `ADD ${withoutSecrets(url)}: ${messageOf(error)}`, { cause: error });
      },
    );
    const { location } = answer.headers;
    if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === 'string') {
      await answer.body.dump();
      const next = URL.parse(location, at.href);
      if (next === null) {
        throw new BuildError('DOWNLOAD_FAILED', `ADD ${withoutSecrets(url)}: redirected to what is no URL`);
      }
      if (at.protocol === 'https:' && next.protocol !== 'https:') {
        throw new BuildError(
          'DOWNLOAD_FAILED',
          `ADD ${withoutSecrets(url)}: redirected from https to ${next.protocol}`,
        );
      }
      at = next;
      continue;
    }
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new BuildError(
        'DOWNLOAD_FAILED',
        `ADD ${withoutSecrets(url)}: invalid response status ${answer.statusCode}`,
      );
    }
    const date = new Date(String(answer.headers['last-modified']));
    return { body: answer.body, lastModified: Number.isNaN(date.getTime()) ? undefined : date };
  }
  throw new BuildError('DOWNLOAD_FAILED', `ADD ${withoutSecrets(url)}: more than ${maxRedirects} redirects`);
}

/** The last component of the URL's path; never something that leads elsewhere. */
function fileNameOf(url: string): string {
  const name = decoded(new URL(url).pathname.split('/').at(-1) ?? '');
  if (['', '.', '..'].includes(name) || /[/\r\n]/.test(name) || name.includes('\0')) return 'download';
  return Buffer.byteLength(name) > longestName ? 'download' : name;
}

function decoded(component: string): string {
  try {
    return decodeURIComponent(component);
  } catch {
    return component; // a percent sign that escapes nothing stands for itself
  }
}

/** User info and query values can hold credentials. */
function withoutSecrets(url: string): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  if (shown.search !== '') shown.search = '?…';
  return shown.href;
}
