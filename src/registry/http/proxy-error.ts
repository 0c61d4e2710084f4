import type { Proxy } from '../config/proxies.ts';
import { showPlace } from '../config/place.ts';
import { showProxy } from '../config/proxy-url.ts';
import { messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';
import { portOf } from '../config/networks.ts';
import { codeOf, isRecord } from '../record.ts';

const unreachable = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH']);

/** What a proxy refused, told as its refusal and not as the registry's; other errors pass as they are. */
export function proxyError(error: unknown, proxy: Proxy, host: string): unknown {
  const name = `the proxy ${showProxy(proxy.url)} (${showPlace(proxy.place)})`;
  const message = messageOf(error);
  const status =
    /^Proxy response \((\d{3})\)/.exec(message)?.[1] ?? /Proxy Authentication Required \((407)\)/.exec(message)?.[1];
  if (status !== undefined) {
    // its own 5xx passes with time, as a gateway's does
    return new RegistryError(
      Number(status) >= 500 ? 'NETWORK' : 'DENIED',
      `${name} does not connect to ${host}: ${status}`,
      {
        hint: hintFor(status),
      },
    );
  }
  if (isOfProxy(error, proxy.url)) {
    const code = codeOf(error);
    return new RegistryError('NETWORK', `cannot reach ${name}, which leads to ${host} (${code})`, {
      hint: 'Hosts that need no proxy are named in NO_PROXY.',
    });
  }
  return error;
}

function hintFor(status: string): string {
  if (status === '407')
    return 'User and password of a proxy stand in its URL: http://user:password@proxy.example.com:3128.';
  return 'Hosts that need no proxy are named in NO_PROXY.';
}

/** True where the connection that failed was the one to the proxy itself. */
function isOfProxy(error: unknown, proxy: URL): boolean {
  if (codeOf(error) === 'UND_ERR_PROXY_CONNECTION' || codeOf(error) === 'UND_ERR_PRX_CONN') return true;
  if (!isRecord(error) || !unreachable.has(codeOf(error))) return false;
  const bare = proxy.hostname.replace(/^\[|\]$/g, '');
  if (error.hostname === bare) return true;
  return error.port === undefined || error.port === Number(portOf(proxy));
}
