/** The text of elements that are not closed, or closed without having been opened; none of a document that is well formed. */
export function strayTags(xml: string): readonly string[] {
  const open: string[] = [];
  const stray: string[] = [];
  for (const [tag, slash, name = '', rest = ''] of xml.matchAll(/<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*\s*\/?)>/g)) {
    if (slash === '/') {
      if (open.pop() !== name) stray.push(tag);
    } else if (!rest.endsWith('/')) open.push(name);
  }
  const others =
    xml.replaceAll(/<\/?[a-z]+(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/g, '').match(/[<>]|&(?!amp;|lt;|gt;)/g) ?? [];
  return [...stray, ...open, ...others];
}
