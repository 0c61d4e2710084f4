import { rememberSecret } from '../redact.ts';
import { misconfigured, type Place } from './place.ts';

const schemes = new Set(['http:', 'https:', 'socks5:', 'socks5h:']);

/**
 * The URL of a proxy; a bare `host:port` is an http proxy. Messages never quote it, since it may hold a password.
 * @throws RegistryError CONFIG
 */
export function parseProxyUrl(text: string, place: Place): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || url.hostname === '' || !schemes.has(url.protocol)) {
    throw misconfigured(place, 'is not the URL of a proxy', {
      hint: 'Proxies look like http://proxy.example.com:3128, https://… or socks5://…; user and password may stand before the host.',
    });
  }
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    throw misconfigured(place, 'the URL of a proxy ends with its host and port');
  }
  // both as it stands there and as it is sent
  if (url.password !== '') for (const spelling of [url.password, decoded(url.password)]) rememberSecret(spelling);
  return url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A proxy for messages: scheme, host and port. */
export function showProxy(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`;
}
