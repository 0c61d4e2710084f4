import type { buildConnector, Dispatcher } from 'undici';
import { environmentProxies, type Proxy, type ProxyFor } from '../config/proxies.ts';
import { type AddressRule, addressRule } from '../config/resolve-rules.ts';
import { usualReach, type Reach } from './reach.ts';
import { mayTrustSystem, secureContextOf, systemRoots } from './tls-identity.ts';

export interface AgentOptions {
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  /** To one host. */
  readonly connections: number;
  /** Other addresses for hosts, as `--resolve` names them; such hosts are reached without a proxy. */
  readonly addresses?: readonly AddressRule[] | undefined;
  /** Where proxies and roots of trust are named; this process's environment unless given. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
  /** The machine's own authorities; what its OpenSSL trusts unless given. */
  readonly systemRoots?: (() => readonly string[]) | undefined;
}

/** What a request is sent with. */
export interface Path {
  readonly dispatcher: Dispatcher;
  readonly proxy: Proxy | undefined;
}

export const connectionsPerHost = 8;

/**
 * The agents of a process: one for each way of reaching hosts, so that a connection that was made with one client
 * certificate, or without a check, never carries a request that asks for another.
 */
export class Agents {
  readonly #undici: typeof import('undici');
  readonly #options: AgentOptions;
  readonly #proxyFor: ProxyFor;
  readonly #variables: Readonly<Record<string, string | undefined>>;
  readonly #agents = new Map<string, Dispatcher>();
  readonly #keys = new WeakMap<Reach, string>();
  #withSystem = false;

  constructor(undici: typeof import('undici'), options: AgentOptions) {
    this.#undici = undici;
    this.#options = options;
    this.#variables = options.variables ?? process.env;
    this.#proxyFor = environmentProxies(this.#variables);
  }

  /** @throws RegistryError CONFIG for certificates and proxies that are not what they should be */
  path(url: URL, reach: Reach = usualReach): Path {
    const proxy = this.#hasAddress(url) ? undefined : (reach.proxy ?? this.#proxyFor(url));
    const isTls = url.protocol === 'https:';
    const key = `${this.#withSystem}\n${isTls ? this.#keyOf(reach) : (reach.connectTimeout ?? '')}\n${proxy?.url.href ?? ''}`;
    let dispatcher = this.#agents.get(key);
    if (dispatcher === undefined) {
      dispatcher = this.#open({ reach, isTls, proxy });
      this.#agents.set(key, dispatcher);
    }
    return { dispatcher, proxy };
  }

  /**
   * After a server whose authority is not among the usual ones: those of the machine hold too from now on. They are not
   * read before, since most commands never need them.
   * @returns false where others are named to stand in their place
   */
  trustSystem(): boolean {
    this.#withSystem ||= mayTrustSystem(this.#variables);
    return this.#withSystem;
  }

  /** Whether the machine's own authorities hold. */
  get trustsSystem(): boolean {
    return this.#withSystem;
  }

  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #hasAddress(url: URL): boolean {
    return addressRule(this.#options.addresses ?? [], url) !== undefined;
  }

  #keyOf(reach: Reach): string {
    const known = this.#keys.get(reach);
    if (known !== undefined) return known;
    const { verify, authorities, clients, connectTimeout } = reach;
    const key = JSON.stringify([
      verify,
      connectTimeout,
      authorities.map(({ path }) => path),
      clients.map(({ certificate, key: file }) => [certificate, file]),
    ]);
    this.#keys.set(reach, key);
    return key;
  }

  #open({ reach, isTls, proxy }: Opening): Dispatcher {
    const { headersTimeout, bodyTimeout } = this.#options;
    const timeout = reach.connectTimeout ?? this.#options.connectTimeout;
    const limits = { headersTimeout, bodyTimeout, connections: this.#options.connections, allowH2: false };
    const system = this.#withSystem ? (this.#options.systemRoots ?? systemRoots) : undefined;
    const secureContext = isTls ? secureContextOf(reach, this.#variables, system) : undefined;
    const tls: buildConnector.BuildOptions = {
      timeout,
      rejectUnauthorized: reach.verify,
      ...(secureContext === undefined ? {} : { secureContext }),
    };
    const { Agent, ProxyAgent, Pool } = this.#undici;
    if (proxy === undefined) return new Agent({ ...limits, connect: this.#connector(tls) });
    const proxyContext =
      proxy.url.protocol === 'https:' ? secureContextOf(usualReach, this.#variables, system) : undefined;
    return new ProxyAgent({
      ...limits,
      uri: proxyUri(proxy.url),
      requestTls: tls,
      connectTimeout: timeout,
      // its mere presence would mean TLS to a SOCKS proxy
      ...(proxy.url.protocol.startsWith('http')
        ? { proxyTls: { timeout, ...(proxyContext === undefined ? {} : { secureContext: proxyContext }) } }
        : {}),
      // neither the pool to the proxy nor that of plain http through it would have limits of its own
      clientFactory: (origin, options: object) =>
        new Pool(origin, { ...options, headersTimeout: timeout, allowH2: false }),
      factory: (origin, options: object) => new Pool(origin, { ...options, ...limits }),
    });
  }

  /** undici's own, with other addresses for hosts that have such; the name that the certificate is for stays. */
  #connector(tls: buildConnector.BuildOptions): buildConnector.connector {
    const connect = this.#undici.buildConnector({ ...tls, allowH2: false });
    const { addresses = [] } = this.#options;
    if (addresses.length === 0) return connect;
    return (options, callback) => {
      const { protocol, hostname, port } = options;
      const host = hostname.includes(':') ? `[${hostname}]` : hostname;
      const rule = addressRule(addresses, new URL(`${protocol}//${host}${port ? `:${port}` : ''}`));
      if (rule === undefined) return connect(options, callback);
      connect({ ...options, hostname: rule.address, port: rule.addressPort ?? port }, callback);
    };
  }
}

interface Opening {
  readonly reach: Reach;
  readonly isTls: boolean;
  readonly proxy: Proxy | undefined;
}

/** undici knows one word for SOCKS, and always lets the proxy look names up. */
function proxyUri(url: URL): string {
  return url.protocol === 'socks5h:' ? url.href.replace(/^socks5h:/, 'socks5:') : url.href;
}
