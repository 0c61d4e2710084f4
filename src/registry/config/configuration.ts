import { isLoopback, canonicalHost, hub } from '../host.ts';
import type { Reach } from '../http/reach.ts';
import type { RegistrySettings } from '../settings.ts';
import { type DockerDaemon, readDockerDaemon } from './docker-daemon.ts';
import type { Endpoint, Mirror, Route } from './endpoint.ts';
import { certificateFolders, type ConfigEnvironment, configEnvironment } from './environment.ts';
import { readHostsToml } from './hosts-files.ts';
import type { HostsEntry, HostsToml } from './hosts-toml.ts';
import { matchedLength, matchEntry, relocate } from './match.ts';
import { type MirrorRule, parseMirrorRules } from './mirror-rule.ts';
import { parseNetwork, splitPort } from './networks.ts';
import type { Place } from './place.ts';
import type { MirrorEntry, RegistriesConf, Serves } from './registries-conf.ts';
import { readRegistriesConf } from './registries-conf-files.ts';
import { certificateFolder, hostCertificates, type TlsFiles } from './tls-files.ts';

/** Longest wait for a mirror that does not answer; milliseconds. */
const mirrorTimeout = 2000;
/** A mirror that answers at all has so long for the headers of content, which it may have to fetch first; milliseconds. */
const mirrorHeadersTimeout = 10_000;

/**
 * What a user's settings and a machine's files say of registries. Files are read at the first question about them, once.
 */
export class Configuration {
  readonly environment: ConfigEnvironment;
  readonly #settings: RegistrySettings;
  readonly #hosts = new Map<string, HostsToml | undefined>();
  readonly #certificates = new Map<string, TlsFiles>();
  #conf: RegistriesConf | undefined;
  #daemon: DockerDaemon | undefined;
  #rules: readonly (MirrorRule & { readonly place: Place })[] | undefined;

  constructor(settings: RegistrySettings = {}, environment: ConfigEnvironment = configEnvironment()) {
    this.environment = environment;
    this.#settings = settings;
  }

  /** @throws RegistryError CONFIG, as all questions here */
  get registriesConf(): RegistriesConf {
    this.#conf ??= readRegistriesConf(this.environment);
    return this.#conf;
  }

  get dockerDaemon(): DockerDaemon {
    this.#daemon ??= readDockerDaemon(this.environment);
    return this.#daemon;
  }

  /** The hosts.toml for a host; undefined where there is none. */
  hostsToml(host: string): HostsToml | undefined {
    if (!this.#hosts.has(host)) this.#hosts.set(host, readHostsToml(this.environment, host));
    return this.#hosts.get(host);
  }

  /** The certificates of all certs.d for a host; the Hub is found under each of its names. */
  certificates(host: string): TlsFiles {
    let found = this.#certificates.get(host);
    if (found === undefined) {
      found = hostCertificates(certificateFolders(this.environment), host === hub.name ? [hub.name, hub.api] : [host]);
      this.#certificates.set(host, found);
    }
    return found;
  }

  /**
   * Where a repository is read and written. Its location comes from registries.conf, else from hosts.toml; its mirrors
   * come from the first that names any: the settings, registries.conf, hosts.toml, daemon.json.
   * @param host canonical
   */
  route(host: string, repository: string): Route {
    const name = repository === '' ? host : `${host}/${repository}`;
    const match = matchEntry(this.registriesConf.entries, name);
    const located = split(relocate(name, match?.length ?? 0, match?.entry.location));
    const hosts = this.hostsToml(located.host);
    const insecure = match?.entry.insecure ?? false;
    const upstream = this.#upstream(located, { hosts, insecure, place: match?.entry.place });
    const mirrors =
      firstWithAny([
        () => this.#ruleMirrors(name),
        () => this.#confMirrors(name, match?.length ?? 0, match?.entry.mirrors ?? []),
        () => this.#hostsMirrors(located, hosts),
        () => this.#daemonMirrors(located),
      ]) ?? [];
    const taking = hosts?.hosts.find(({ capabilities }) => capabilities?.has('push'));
    return {
      name,
      upstream,
      mirrors,
      writes: taking === undefined ? upstream : this.#entryEndpoint(taking, located, said('writes')),
      blocked: match?.entry.blocked ? match.entry.place : undefined,
    };
  }

  /**
   * A host by its own name, for what is about no repository, such as a login: never the place that its repositories are
   * fetched from, since a password for one is not meant for the other.
   * @param host canonical
   */
  hostEndpoint(host: string): Endpoint {
    const { entry } = matchEntry(this.registriesConf.entries, host) ?? {};
    const isItself = entry !== undefined && (entry.location ?? entry.prefix) === entry.prefix;
    const known = this.hostsToml(host);
    const server = known?.server.url === undefined || canonicalHost(known.server.url.host) === host ? known : undefined;
    return this.#upstream(
      { host, repository: '' },
      { hosts: server, insecure: isItself && entry.insecure, place: isItself ? entry.place : undefined },
    );
  }

  /** What says that a host need not prove who it is; undefined where it must. */
  insecure(host: string): Place | undefined {
    const { host: name } = splitPort(host);
    return this.dockerDaemon.insecure.find(({ value }) => value === host || parseNetwork(value)?.has(name))?.place;
  }

  #upstream(located: Located, known: Known): Endpoint {
    const { server } = known.hosts ?? {};
    if (server?.url !== undefined) {
      const isSame = canonicalHost(server.url.host) === located.host;
      return this.#entryEndpoint(server, located, {
        role: 'upstream',
        insecure: isSame && known.insecure,
        place: known.place,
      });
    }
    const plain = this.#plain(located, { role: 'upstream', insecure: known.insecure, place: known.place });
    if (server === undefined) return plain;
    return {
      ...plain,
      reach: this.#withEntry(plain.reach, server),
      headers: server.headers,
      place: plain.place ?? server.place,
    };
  }

  /** A registry of which only the host is known, or that a registries.conf or a setting names. */
  #plain(located: Located, how: Plain): Endpoint {
    const { host } = located;
    const waivedBy = this.#waivedBy(host, how);
    const reach = this.#reach(host, { role: how.role, waivedBy });
    const known = how.scheme ?? (how.role === 'upstream' ? this.#settings.scheme : undefined);
    const protocol = known ?? (waivedBy === undefined ? this.#loopbackScheme(host, reach) : 'either');
    return { ...located, scheme: protocol, path: '/v2', reach, headers: {}, namespace: undefined, place: how.place };
  }

  /** What says that a host need not prove who it is: the command line for what it names, else the files. */
  #waivedBy(host: string, { role, insecure, place }: Plain): Place | undefined {
    const { tlsVerify } = this.#settings;
    if (tlsVerify === true) return undefined;
    if (tlsVerify === false && role !== 'mirror') return { source: '--tls-verify' };
    return (insecure ? place : undefined) ?? this.insecure(host);
  }

  /**
   * https for everybody but loopback; there http, unless something was said that only means anything with TLS: then it
   * is that, or it is asked for where what was said may have been meant for others.
   */
  #loopbackScheme(host: string, reach: Reach): Endpoint['scheme'] {
    if (!isLoopback(splitPort(host).host)) return 'https';
    const { authorities, clients } = this.certificates(host);
    if (this.#settings.tlsVerify === true || authorities.length + clients.length > 0) return 'https';
    return reach.authorities.length + reach.clients.length > 0 ? 'either' : 'http';
  }

  #reach(host: string, { role, waivedBy }: { readonly role: Role; readonly waivedBy?: Place | undefined }): Reach {
    const { authorities, clients } = this.certificates(host);
    const { ca = [], certDir } = this.#settings;
    const named = ca.map((path) => ({ path, place: { source: '--ca' } }));
    // what the command line says of the registry is not meant for its mirrors
    const folder = certDir === undefined || role === 'mirror' ? undefined : certificateFolder(certDir);
    return {
      verify: waivedBy === undefined,
      waivedBy,
      authorities: [...(folder?.authorities ?? []), ...named, ...authorities],
      clients: folder !== undefined && folder.clients.length > 0 ? folder.clients : clients,
      ...(role === 'mirror' ? this.#patience : {}),
    };
  }

  get #patience(): Pick<Reach, 'connectTimeout' | 'headersTimeout'> {
    const { headersTimeout = mirrorHeadersTimeout } = this.#settings;
    return {
      connectTimeout: this.#settings.mirrorTimeout ?? mirrorTimeout,
      headersTimeout: Math.min(headersTimeout, mirrorHeadersTimeout),
    };
  }

  /** A server that a hosts.toml names by its URL. */
  #entryEndpoint(entry: HostsEntry, located: Located, how: Plain): Endpoint {
    const { url } = entry;
    if (url === undefined) throw new Error('an entry without a URL is the host itself');
    const host = canonicalHost(url.host);
    const reach = this.#withEntry(this.#reach(host, { role: how.role, waivedBy: this.#waivedBy(host, how) }), entry);
    return {
      host,
      repository: located.repository,
      scheme: url.protocol === 'http:' ? 'http' : 'https',
      path: url.pathname.replace(/\/$/, ''),
      reach,
      headers: entry.headers,
      namespace: host === located.host ? undefined : located.host,
      place: entry.place,
    };
  }

  #withEntry(reach: Reach, entry: HostsEntry): Reach {
    const skipping = entry.skipVerify && this.#settings.tlsVerify !== true ? entry.place : undefined;
    return {
      verify: reach.verify && skipping === undefined,
      waivedBy: reach.waivedBy ?? skipping,
      authorities: [...entry.tls.authorities, ...reach.authorities],
      clients: entry.tls.clients.length > 0 ? entry.tls.clients : reach.clients,
      connectTimeout: entry.dialTimeout ?? reach.connectTimeout,
      headersTimeout: reach.headersTimeout,
      proxy: entry.proxy === undefined ? undefined : { url: entry.proxy, place: entry.place },
    };
  }

  #ruleMirrors(name: string): readonly Mirror[] {
    this.#rules ??= mirrorRules(this.#settings.mirrors ?? []);
    return this.#rules.flatMap(({ prefix, location, scheme, place }) => {
      const length = matchedLength(prefix, name);
      if (length === undefined) return [];
      const located = split(relocate(name, length, location));
      const endpoint = this.#plain(located, { role: 'mirror', insecure: false, scheme, place });
      return [{ endpoint, serves: servesOf('all') }];
    });
  }

  #confMirrors(name: string, length: number, mirrors: readonly MirrorEntry[]): readonly Mirror[] {
    return mirrors.map(({ location, insecure, serves, place }) => ({
      endpoint: this.#plain(split(relocate(name, length, location)), { role: 'mirror', insecure, place }),
      serves: servesOf(serves),
    }));
  }

  #hostsMirrors(located: Located, hosts: HostsToml | undefined): readonly Mirror[] {
    return (hosts?.hosts ?? []).flatMap((entry) => {
      const { capabilities } = entry;
      const serves = {
        digests: capabilities === undefined || capabilities.has('pull'),
        tags: capabilities === undefined || capabilities.has('resolve'),
      };
      if (!serves.digests && !serves.tags) return [];
      return [{ endpoint: this.#entryEndpoint(entry, located, said('mirror')), serves }];
    });
  }

  /** dockerd has mirrors for the Hub only. */
  #daemonMirrors(located: Located): readonly Mirror[] {
    if (located.host !== hub.name) return [];
    return this.dockerDaemon.mirrors.map(({ url, place }) => {
      const host = canonicalHost(url.host);
      const endpoint: Endpoint = {
        host,
        repository: located.repository,
        scheme: url.protocol === 'http:' ? 'http' : 'https',
        path: `${url.pathname.replace(/\/+$/, '')}/v2`,
        reach: this.#reach(host, { role: 'mirror', waivedBy: this.#waivedBy(host, said('mirror')) }),
        headers: {},
        namespace: undefined,
        place,
      };
      return { endpoint, serves: servesOf('all') };
    });
  }
}

type Role = 'upstream' | 'mirror' | 'writes';

interface Located {
  readonly host: string;
  readonly repository: string;
}

interface Known {
  readonly hosts: HostsToml | undefined;
  readonly insecure: boolean;
  readonly place: Place | undefined;
}

interface Plain {
  readonly role: Role;
  readonly insecure: boolean;
  readonly scheme?: 'http' | 'https' | undefined;
  readonly place: Place | undefined;
}

/** A server of which nothing else is said. */
function said(role: Role): Plain {
  return { role, insecure: false, place: undefined };
}

function split(name: string): Located {
  const slash = name.indexOf('/');
  const host = slash < 0 ? name : name.slice(0, slash);
  return { host: canonicalHost(host), repository: slash < 0 ? '' : name.slice(slash + 1) };
}

function servesOf(serves: Serves): Mirror['serves'] {
  return { digests: serves !== 'tags', tags: serves !== 'digests' };
}

function firstWithAny<T>(sources: readonly (() => readonly T[])[]): readonly T[] | undefined {
  for (const source of sources) {
    const found = source();
    if (found.length > 0) return found;
  }
  return undefined;
}

function mirrorRules(texts: readonly string[]): readonly (MirrorRule & { readonly place: Place })[] {
  const place = { source: '--registry-mirror' };
  return texts.flatMap((text) => parseMirrorRules(text, place)).map((rule) => ({ ...rule, place }));
}
