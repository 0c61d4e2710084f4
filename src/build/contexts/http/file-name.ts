import { decodePercent } from '../../../dockerfile/index.ts';

const longestName = 255; // bytes, of nearly every file system
/** As BuildKit calls what has no name. */
const unnamed = '__unnamed__';

/**
 * The name that a download gets: the last part of its URL's path. What the server says (Content-Disposition) does not count, so a
 * build's result does not hang on it. Never a name that leads elsewhere, or that a terminal or a shell would act on.
 */
export function downloadName(url: URL): string {
  const written = url.pathname.split('/').findLast((part) => part !== '' && part !== '.') ?? '';
  const name = decodePercent(written).trim();
  const unsafe = ['', '.', '..'].includes(name) || /[/\p{Cc}]/u.test(name) || Buffer.byteLength(name) > longestName;
  return unsafe ? unnamed : name;
}
