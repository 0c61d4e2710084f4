/** RFC 3339, in whole seconds as docker writes them, of seconds since 1970. */
export function timeOf(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
}
