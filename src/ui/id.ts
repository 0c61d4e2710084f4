/** The twelve hexadecimal digits by which people know an image or container: `sha256:4bcf…` and bare ids alike. */
export function shortId(id: string): string {
  return id.slice(id.indexOf(':') + 1).slice(0, 12);
}
