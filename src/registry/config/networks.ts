import { BlockList, isIP } from 'node:net';

/** A set of addresses in CIDR notation; undefined where the text is no network. */
export function parseNetwork(text: string): { readonly has: (address: string) => boolean } | undefined {
  const [address = '', length = '', ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  if (Number(length) > (family === 4 ? 32 : 128)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6');
  return {
    has: (candidate) => {
      const kind = isIP(candidate);
      return kind !== 0 && list.check(candidate, kind === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

/** A host without the brackets of IPv6 literals, in small letters. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

/** `host`, `host:port`, `[::1]:5000` or `::1` taken apart; no port is ''. */
export function splitPort(text: string): { readonly host: string; readonly port: string } {
  if (isIP(text) === 6) return { host: text.toLowerCase(), port: '' };
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text);
  return { host: bareHost(match?.[1] ?? text), port: match?.[2] ?? '' };
}

/** The port of a URL, also where it is the scheme's own. */
export function portOf(url: URL): string {
  return url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80';
}
