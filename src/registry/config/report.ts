import { baseUrlOf } from '../host.ts';
import type { Endpoint, Mirror, Route } from './endpoint.ts';
import { type Place, showPlace } from './place.ts';
import { environmentProxies } from './proxies.ts';
import { showProxy } from './proxy-url.ts';
import { type AddressRule, addressRule } from './resolve-rules.ts';

/** What applies to a registry or repository, and what says so; holds no secret. */
export interface RegistryReport {
  readonly name: string;
  /** What forbids to use it; null where it may be used. */
  readonly blockedBy: string | null;
  /** Asked first, in order. */
  readonly mirrors: readonly MirrorReport[];
  /** Asked last: the registry itself. */
  readonly location: ServerReport;
  /** Where pushes go. */
  readonly pushes: string;
  /** Files and folders with authorities that variables name, for all hosts; Node's own list where there are none but NODE_EXTRA_CA_CERTS. */
  readonly roots: readonly NamedFile[];
  readonly remarks: readonly string[];
}

export interface ServerReport {
  readonly url: string;
  /** The file or setting that names this server; null where only the name does. */
  readonly from: string | null;
  /** `either` is http where the host speaks no TLS. */
  readonly scheme: 'https' | 'http' | 'either';
  readonly verify: boolean;
  /** What says that any certificate is taken; null where certificates are checked. */
  readonly unverifiedBy: string | null;
  readonly authorities: readonly NamedFile[];
  readonly clientCertificates: readonly { readonly certificate: string; readonly key: string; readonly from: string }[];
  /** Names of headers that only this server gets. */
  readonly headers: readonly string[];
  readonly namespace: string | null;
  readonly proxy: { readonly url: string; readonly from: string } | null;
  /** Where it is reached instead of where its name leads. */
  readonly address: string | null;
  readonly credential: CredentialReport | null;
}

export interface MirrorReport extends ServerReport {
  readonly serves: readonly ('digests' | 'tags')[];
}

interface NamedFile {
  readonly path: string;
  readonly from: string;
}

/** Whose credential is sent, and where it was found. */
export interface CredentialReport {
  readonly kind: string;
  readonly user: string | null;
  readonly from: string;
}

export interface Surroundings {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly addresses: readonly AddressRule[];
  readonly credential: (endpoint: Endpoint, role: 'mirror' | 'location') => Promise<CredentialReport | null>;
  readonly remarks: readonly string[];
}

/** Puts into words what a route means. */
export async function reportRoute(route: Route, around: Surroundings): Promise<RegistryReport> {
  return {
    name: route.name,
    blockedBy: route.blocked === undefined ? null : showPlace(route.blocked),
    mirrors: await Promise.all(route.mirrors.map((mirror) => reportMirror(mirror, around))),
    location: await reportServer(route.upstream, 'location', around),
    pushes: urlOf(route.writes).href,
    roots: ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'].flatMap((name) => {
      const path = around.variables[name];
      return path ? [{ path, from: name }] : [];
    }),
    remarks: around.remarks,
  };
}

async function reportMirror({ endpoint, serves }: Mirror, around: Surroundings): Promise<MirrorReport> {
  const names = (['digests', 'tags'] as const).filter((name) => serves[name]);
  return { ...(await reportServer(endpoint, 'mirror', around)), serves: names };
}

async function reportServer(
  endpoint: Endpoint,
  role: 'mirror' | 'location',
  around: Surroundings,
): Promise<ServerReport> {
  const { reach, scheme, headers, namespace, place } = endpoint;
  const url = urlOf(endpoint);
  const rule = addressRule(around.addresses, url);
  const proxy = rule === undefined ? (reach.proxy ?? environmentProxies(around.variables)(url)) : undefined;
  return {
    url: url.href,
    from: from(place),
    scheme,
    verify: reach.verify,
    unverifiedBy: from(reach.waivedBy),
    authorities: reach.authorities.map((file) => ({ path: file.path, from: showPlace(file.place) })),
    clientCertificates: reach.clients.map(({ certificate, key, place: by }) => ({
      certificate,
      key,
      from: showPlace(by),
    })),
    headers: Object.keys(headers),
    namespace: namespace ?? null,
    proxy: proxy === undefined ? null : { url: showProxy(proxy.url), from: showPlace(proxy.place) },
    address: rule === undefined ? null : [rule.address, rule.addressPort ?? rule.port].join(' port '),
    credential: await around.credential(endpoint, role),
  };
}

function urlOf({ host, scheme, path, repository }: Endpoint): URL {
  return new URL(`${path}/${repository}`, baseUrlOf(host, scheme === 'http' ? 'http' : 'https'));
}

function from(place: Place | undefined): string | null {
  return place === undefined ? null : showPlace(place);
}
