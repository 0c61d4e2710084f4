import type { Endpoint, SettledEndpoint } from '../config/endpoint.ts';
import { baseUrlOf } from '../host.ts';
import { discard } from '../http/body.ts';
import type { Dispatch } from '../http/dispatch.ts';
import { codeOf, isRecord } from '../record.ts';

/** What a connection ends with where the other side speaks no TLS, or nothing at that port. */
const noTls =
  /^(?:EPROTO|ECONNREFUSED|ECONNRESET|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/;
/** Longest wait for either; milliseconds. */
const probeTimeout = 5000;

/**
 * Which protocol hosts speak that need not prove who they are. Asked once a process, with an empty request; the answer
 * decides about http only for hosts that were said to be insecure, or for loopback: never for others.
 */
export class SchemeProbe {
  readonly #dispatch: Dispatch;
  readonly #known = new Map<string, Promise<'https' | 'http'>>();

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  /** @param signal ends the waiting; what nobody answered is not remembered */
  async settle(endpoint: Endpoint, signal?: AbortSignal): Promise<SettledEndpoint> {
    const { scheme, host } = endpoint;
    if (scheme !== 'either') return { ...endpoint, scheme };
    const asked = this.#known.get(host) ?? this.#ask(endpoint, signal);
    this.#known.set(host, asked);
    try {
      return { ...endpoint, scheme: await asked };
    } catch (error) {
      this.#known.delete(host);
      signal?.throwIfAborted();
      if (!isTimeout(error)) throw error;
      return { ...endpoint, scheme: 'https' };
    }
  }

  async #ask({ host, path, reach }: Endpoint, signal: AbortSignal | undefined): Promise<'https' | 'http'> {
    const url = new URL(`${path}/`, baseUrlOf(host, 'https'));
    try {
      // whether TLS is spoken, not by whom: a wrong certificate must not lead to http
      const response = await this.#dispatch({
        method: 'GET',
        url,
        headers: { 'user-agent': 'slipway' },
        attempts: 1,
        signal: signal ?? AbortSignal.timeout(probeTimeout),
        reach: { ...reach, verify: false, clients: [], connectTimeout: probeTimeout, headersTimeout: probeTimeout },
      });
      await discard(response);
      return 'https';
    } catch (error) {
      if (isTimeout(error)) throw error;
      return noTls.test(deepestCode(error)) ? 'http' : 'https';
    }
  }
}

function isTimeout(error: unknown): boolean {
  return isRecord(error) && (error.name === 'TimeoutError' || codeOf(error).endsWith('_TIMEOUT'));
}

function deepestCode(error: unknown): string {
  let at: unknown = error;
  for (let depth = 0; isRecord(at) && depth < 4; depth++) {
    if (noTls.test(codeOf(at))) return codeOf(at);
    at = Array.isArray(at.errors) ? (at.errors[0] as unknown) : at.cause;
  }
  return '';
}
