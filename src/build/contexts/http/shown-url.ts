/** A URL for people: user info and query values can hold credentials. */
export function shownUrl(url: URL | string): string {
  const shown = URL.parse(String(url));
  if (shown === null) return 'what is no URL';
  const query = shown.search === '' ? '' : '?…';
  shown.username = '';
  shown.password = '';
  shown.search = '';
  shown.hash = '';
  return shown.href + query;
}
