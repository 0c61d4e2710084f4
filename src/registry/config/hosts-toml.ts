import { dirname, resolve } from 'node:path';
import { readDuration } from '../../oci/index.ts';
import type { ConfigText } from './config-file.ts';
import { rememberSecret } from '../redact.ts';
import { type Place, quoted } from './place.ts';
import { parseProxyUrl } from './proxy-url.ts';
import { noTlsFiles, type TlsFiles } from './tls-files.ts';
import { parseToml, type TomlTable } from './toml-table.ts';

export type Capability = 'pull' | 'resolve' | 'push';

/** One server that a hosts.toml names. */
export interface HostsEntry {
  /** Scheme, host and path of the API, such as `https://mirror.example.com/v2`; undefined for the host that the file is for. */
  readonly url: URL | undefined;
  /** What it may be asked for; undefined where the file does not say. */
  readonly capabilities: ReadonlySet<Capability> | undefined;
  readonly skipVerify: boolean;
  readonly tls: TlsFiles;
  /** Sent to this server and nobody else; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly dialTimeout: number | undefined;
  readonly proxy: URL | undefined;
  readonly place: Place;
}

/** A hosts.toml (containerd, docs/hosts.md): mirrors in their order, and the server that comes last. */
export interface HostsToml {
  readonly hosts: readonly HostsEntry[];
  readonly server: HostsEntry;
  readonly unknown: readonly { readonly key: string; readonly place: Place }[];
}

const known = new Set([
  'capabilities',
  'ca',
  'client',
  'skip_verify',
  'header',
  'override_path',
  'dial_timeout',
  'proxy',
]);
const knownOnTop = new Set([...known, 'server', 'host']);
/** What would break the framing of a request or carry what only we decide. */
const ownHeaders = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'content-type',
  'content-range',
  'range',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'proxy-authorization',
  'accept-encoding',
]);

/** @throws RegistryError CONFIG naming file and line */
export function parseHostsToml(file: ConfigText): HostsToml {
  const document = parseToml(file);
  const folder = dirname(file.path);
  const hosts = document.table('host');
  const entries = (hosts?.keys ?? []).flatMap((name) => {
    const table = hosts?.table(name);
    return table === undefined ? [] : [{ name, table }];
  });
  const unknown = [...unknownKeys(document, knownOnTop), ...entries.flatMap(({ table }) => unknownKeys(table, known))];
  return {
    hosts: entries.map(({ name, table }) => hostsEntry(table, { server: name, folder })),
    server: hostsEntry(document, { server: document.string('server'), folder, key: 'server' }),
    unknown,
  };
}

interface Naming {
  readonly server: string | undefined;
  readonly folder: string;
  readonly key?: string;
}

function hostsEntry(table: TomlTable, { server, folder, key }: Naming): HostsEntry {
  const override = table.boolean('override_path') ?? false;
  const dialTimeout = table.string('dial_timeout');
  const proxy = table.string('proxy');
  return {
    url: server === undefined || server === '' ? undefined : apiUrl(table, { server, override, key }),
    capabilities: capabilitiesOf(table),
    skipVerify: table.boolean('skip_verify') ?? false,
    tls: tlsOf(table, folder),
    headers: headersOf(table.table('header')),
    dialTimeout: dialTimeout === undefined ? undefined : milliseconds(table, dialTimeout),
    proxy: proxy === undefined ? undefined : parseProxyUrl(proxy, table.place('proxy')),
    place: table.place(key),
  };
}

/** `/v2` goes behind a path that does not end so, except where the path is said to be all. */
function apiUrl(table: TomlTable, naming: { server: string; override: boolean; key: string | undefined }): URL {
  const { server, override, key } = naming;
  const url = URL.parse(/^https?:\/\//.test(server) ? server : `https://${server}`);
  const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || url.hostname === '' || server.includes('?') || (!/^https?:/.test(server) && server.includes('://'))) {
    throw table.fail(key, 'a server is a host or an http or https URL, without user, query and fragment');
  }
  const path = url.pathname.replace(/\/+/g, '/').replace(/\/$/, '');
  url.pathname = override || path.endsWith('/v2') ? path : `${path}/v2`;
  return url;
}

function capabilitiesOf(table: TomlTable): ReadonlySet<Capability> | undefined {
  const names = table.strings('capabilities');
  // as containerd: an empty list says nothing
  if (names === undefined || names.length === 0) return undefined;
  return new Set(
    names.map((name) => {
      const small = name.toLowerCase();
      if (small === 'pull' || small === 'resolve' || small === 'push') return small;
      throw table.fail('capabilities', `${quoted(name)} is none of pull, resolve and push`);
    }),
  );
}

function tlsOf(table: TomlTable, folder: string): TlsFiles {
  const authorities = (table.stringOrLists('ca') ?? []).map((path) => {
    if (typeof path !== 'string') throw table.fail('ca', 'ca must be a path or a list of paths');
    return { path: resolve(folder, path), place: table.place('ca') };
  });
  const clients = (table.stringOrLists('client') ?? []).map((item) => {
    const [certificate, key, ...more] = typeof item === 'string' ? [item] : item;
    if (
      certificate === undefined ||
      certificate === '' ||
      more.length > 0 ||
      (key === undefined && typeof item !== 'string')
    ) {
      throw table.fail('client', 'client must be a path, or a list of paths or of pairs [certificate, key]');
    }
    const path = resolve(folder, certificate);
    return { certificate: path, key: key ? resolve(folder, key) : path, place: table.place('client') };
  });
  return authorities.length + clients.length === 0 ? noTlsFiles : { authorities, clients };
}

function headersOf(table: TomlTable | undefined): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const name of table?.keys ?? []) {
    if (table === undefined) continue;
    const small = name.toLowerCase();
    const values = table.stringOrLists(name) ?? [];
    const value = values.map(String).join(', ');
    // the value stays out of the message: it may be a key
    if (
      !/^[!#$%&'*+.^_`|~\w-]+$/.test(name) ||
      !/^[\t\x20-\x7e]*$/.test(value) ||
      values.some((item) => typeof item !== 'string')
    ) {
      throw table.fail(name, `${quoted(name)} is not a header that can be sent`);
    }
    if (ownHeaders.has(small)) throw table.fail(name, `the header ${small} is decided by each request`);
    if (/auth|token|key|secret|cookie|pass/.test(small)) rememberSecret(value);
    headers[small] = value;
  }
  return headers;
}

function milliseconds(table: TomlTable, text: string): number {
  const duration = readDuration(text);
  if (duration === undefined || duration <= 0) {
    throw table.fail('dial_timeout', `${quoted(text)} is not a time such as 500ms, 2s or 1m`);
  }
  return duration;
}

function unknownKeys(table: TomlTable, keys: ReadonlySet<string>): { key: string; place: Place }[] {
  return table.keys.filter((key) => !keys.has(key)).map((key) => ({ key, place: table.place(key) }));
}
