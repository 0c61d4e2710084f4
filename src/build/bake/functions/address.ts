import { isIPv4, isIPv6 } from 'node:net';

/** An address of the internet as a number. */
export interface Address {
  readonly width: 32 | 128;
  readonly bits: bigint;
}

export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { width: 32, bits: joined(text.split('.'), 10, 8n) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const filled = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last];
  return { width: 128, bits: joined(filled, 16, 16n) };
}

/** Groups of four digits; an IPv4 address at the end is two of them. */
function groups(text: string): string[] {
  return text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (!group.includes('.')) return [group];
        const bits = joined(group.split('.'), 10, 8n);
        return [(bits >> 16n).toString(16), (bits & 0xffffn).toString(16)];
      });
}

function joined(parts: readonly string[], base: number, width: bigint): bigint {
  return parts.reduce((bits, part) => (bits << width) | BigInt(Number.parseInt(part, base)), 0n);
}

/** The longest row of zeros of an IPv6 address is left out (RFC 5952). */
export function formatAddress({ width, bits }: Address): string {
  if (width === 32) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join('.');
  const parts = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const text = parts.join(':');
  const rows = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([row]) => row);
  const longest = rows.toSorted((a, b) => b.replace(/^:/, '').length - a.replace(/^:/, '').length)[0];
  if (longest === undefined) return text;
  const at = text.indexOf(longest);
  return `${text.slice(0, at)}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}
