import { posix } from 'node:path';

/** Go's path.Clean: no `.`, `..` or empty parts as far as text tells, no trailing slash. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** A WORKDIR after the one before: an absolute path stays as written, a relative one is joined and cleaned. */
export function joinWorkdir(current: string, path: string): string {
  const parent = current.startsWith('/') ? current : `/${current}`;
  if (path === '') return parent;
  return path.startsWith('/') ? path : cleanPath(`${parent}/${path}`);
}

/** Where COPY puts things: absolute and clean, with a trailing slash where a folder is meant. */
export function destinationPath(workdir: string, path: string): string {
  const folder = path === '' || /(?:^|\/)\.{0,2}$/.test(path);
  const cleaned = cleanPath(path.startsWith('/') ? path : `${workdir}/${path}`);
  return folder && cleaned !== '/' ? `${cleaned}/` : cleaned;
}

/** A source of COPY as an absolute path in its tree. With `parents` the pivot is always there: `/base/./pattern`. */
export function sourcePath(path: string, { parents }: { readonly parents: boolean }): string {
  if (!parents) return cleanPath(`/${path}`);
  const pivot = path.indexOf('/./');
  const base = pivot < 0 ? '/' : cleanPath(`/${path.slice(0, pivot)}`);
  const pattern = cleanPath(`/${pivot < 0 ? path : path.slice(pivot + 3)}`);
  return `${base === '/' ? '' : base}/.${pattern}`;
}
