/** A URL for people: user info and query values can hold credentials. */
export function shownUrl(url: URL | string): string {
  const shown = URL.parse(String(url));
  if (shown === null) return 'what is no URL';
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  if (shown.search !== '') shown.search = '?…';
  return shown.href;
}
