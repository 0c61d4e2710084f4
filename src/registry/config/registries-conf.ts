import type { ConfigText } from './config-file.ts';
import { misconfigured, type Place, quoted } from './place.ts';
import { parseToml, type TomlTable } from './toml-table.ts';

/** What a mirror may be asked for. */
export type Serves = 'all' | 'digests' | 'tags';

/** A `[[registry.mirror]]`. */
export interface MirrorEntry {
  /** `mirror.example.com:5000/hub`: stands in the place of the prefix. */
  readonly location: string;
  readonly insecure: boolean;
  readonly serves: Serves;
  readonly place: Place;
}

/** A `[[registry]]`. */
export interface RegistryEntry {
  /** `docker.io`, `docker.io/library`, `*.example.com`. */
  readonly prefix: string;
  /** What stands in the place of the prefix; undefined where names stay as they are. */
  readonly location: string | undefined;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorEntry[];
  readonly place: Place;
}

export interface Alias {
  readonly value: string;
  readonly place: Place;
}

/** One registries.conf, or several laid over each other; version 2 (containers-registries.conf(5)). */
export interface RegistriesConf {
  /** By prefix. */
  readonly entries: ReadonlyMap<string, RegistryEntry>;
  readonly searchRegistries?: Listed | undefined;
  readonly shortNameMode?: { readonly value: ShortNameMode; readonly place: Place } | undefined;
  /** Short names and what they stand for; an empty value takes an alias back. */
  readonly aliases: ReadonlyMap<string, Alias>;
  readonly credentialHelpers?: Listed | undefined;
  /** Keys that mean nothing to us, for a remark: a misspelt `blocked` should not go unnoticed. */
  readonly unknown: readonly { readonly key: string; readonly place: Place }[];
}

export interface Listed {
  readonly values: readonly string[];
  readonly place: Place;
}

export type ShortNameMode = 'enforcing' | 'permissive' | 'disabled';

const modes = new Set<string>(['enforcing', 'permissive', 'disabled']);
const known = new Set([
  'registry',
  'registries',
  'unqualified-search-registries',
  'short-name-mode',
  'aliases',
  'credential-helpers',
  // of a kind of storage that we do not have
  'additional-layer-store-auth-helper',
]);
const knownInRegistry = new Set(['prefix', 'location', 'insecure', 'blocked', 'mirror', 'mirror-by-digest-only']);
const knownInMirror = new Set(['location', 'insecure', 'pull-from-mirror']);
const serves: Readonly<Record<string, Serves>> = {
  '': 'all',
  all: 'all',
  'digest-only': 'digests',
  'tag-only': 'tags',
};

/**
 * Reads a registries.conf. `main` files may be of version 1, which drop-ins may not.
 * @throws RegistryError CONFIG naming file and line
 */
export function parseRegistriesConf(file: ConfigText, kind: 'main' | 'drop-in' = 'main'): RegistriesConf {
  const document = parseToml(file);
  const first = document.table('registries');
  if (first !== undefined) return parseFirstVersion(document, first, kind);
  const unknown = unknownKeys(document, known);
  const entries = new Map<string, RegistryEntry>();
  for (const table of document.tables('registry')) {
    const entry = registryEntry(table);
    entries.set(entry.prefix, entry);
    unknown.push(...unknownKeys(table, knownInRegistry));
    for (const mirror of table.tables('mirror')) unknown.push(...unknownKeys(mirror, knownInMirror));
  }
  return {
    entries,
    searchRegistries: listed(document, 'unqualified-search-registries'),
    shortNameMode: shortNameMode(document),
    aliases: aliasesOf(document.table('aliases')),
    credentialHelpers: listed(document, 'credential-helpers'),
    unknown,
  };
}

/** What `upper` says goes before what `lower` says; a `[[registry]]` replaces the one of the same prefix as a whole. */
export function mergeRegistriesConf(lower: RegistriesConf, upper: RegistriesConf): RegistriesConf {
  const aliases = new Map(lower.aliases);
  for (const [name, alias] of upper.aliases) {
    if (alias.value === '') aliases.delete(name);
    else aliases.set(name, alias);
  }
  return {
    entries: new Map([...lower.entries, ...upper.entries]),
    searchRegistries: upper.searchRegistries ?? lower.searchRegistries,
    shortNameMode: upper.shortNameMode ?? lower.shortNameMode,
    aliases,
    credentialHelpers: upper.credentialHelpers ?? lower.credentialHelpers,
    unknown: [...lower.unknown, ...upper.unknown],
  };
}

export const emptyRegistriesConf: RegistriesConf = { entries: new Map(), aliases: new Map(), unknown: [] };

function registryEntry(table: TomlTable): RegistryEntry {
  const location = place(table, 'location');
  const prefix = place(table, 'prefix') ?? location;
  if (prefix === undefined) throw table.fail(undefined, 'a [[registry]] needs a prefix or a location');
  const isPattern = prefix.startsWith('*.');
  if (prefix.includes('*') && !/^\*\.[^*/:]+$/.test(prefix)) {
    throw table.fail('prefix', `${quoted(prefix)}: a * stands at the beginning only, as in *.example.com`);
  }
  if (location === undefined && !isPattern) {
    throw table.fail('prefix', `a [[registry]] needs a location, except where its prefix is like *.example.com`);
  }
  const byDigestOnly = table.boolean('mirror-by-digest-only') ?? false;
  return {
    prefix,
    location: location === prefix ? undefined : location,
    insecure: table.boolean('insecure') ?? false,
    blocked: table.boolean('blocked') ?? false,
    mirrors: table.tables('mirror').map((mirror) => mirrorEntry(mirror, byDigestOnly)),
    place: table.place(),
  };
}

function mirrorEntry(table: TomlTable, byDigestOnly: boolean): MirrorEntry {
  const location = place(table, 'location');
  if (location === undefined) throw table.fail(undefined, 'a [[registry.mirror]] needs a location');
  const said = table.string('pull-from-mirror');
  if (byDigestOnly && said !== undefined && said !== '') {
    throw table.fail(
      'pull-from-mirror',
      'mirror-by-digest-only of the registry and pull-from-mirror exclude each other',
    );
  }
  const served = serves[said ?? ''];
  if (served === undefined) {
    throw table.fail('pull-from-mirror', `${quoted(said ?? '')} is none of all, digest-only and tag-only`);
  }
  return {
    location,
    insecure: table.boolean('insecure') ?? false,
    serves: byDigestOnly ? 'digests' : served,
    place: table.place(),
  };
}

/** A host with an optional path, as prefixes and locations are; without what only a URL or a tagged name has. */
function place(table: TomlTable, key: string): string | undefined {
  const value = table.string(key)?.replace(/\/+$/, '');
  if (value === undefined || value === '') return undefined;
  const problem = locationProblem(value);
  if (problem !== undefined) throw table.fail(key, `${quoted(value)}: ${problem}`);
  return lowerHost(value);
}

/** Why a text cannot be a host with an optional path; undefined where it can. */
export function locationProblem(value: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return 'this is a host and a path, without http:// or https://';
  const [host = '', ...path] = value.split('/');
  if (
    !/^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i.test(host) &&
    !host.includes('*')
  ) {
    return 'its first part is no host';
  }
  if (path.some((part) => /[@:]/.test(part))) return 'tags and digests cannot be told apart here, only repositories';
  return path.every((part) => /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(part))
    ? undefined
    : 'its path is no path of a repository';
}

function lowerHost(value: string): string {
  const [host = '', ...path] = value.split('/');
  return [host.toLowerCase(), ...path].join('/');
}

function listed(document: TomlTable, key: string): Listed | undefined {
  const values = document.strings(key);
  return values === undefined ? undefined : { values, place: document.place(key) };
}

function shortNameMode(document: TomlTable): RegistriesConf['shortNameMode'] {
  const value = document.string('short-name-mode');
  if (value === undefined || value === '') return undefined;
  if (!isMode(value)) {
    throw document.fail('short-name-mode', `${quoted(value)} is none of enforcing, permissive and disabled`);
  }
  return { value, place: document.place('short-name-mode') };
}

function isMode(value: string): value is ShortNameMode {
  return modes.has(value);
}

function aliasesOf(table: TomlTable | undefined): ReadonlyMap<string, Alias> {
  const aliases = new Map<string, Alias>();
  for (const name of table?.keys ?? []) {
    if (table === undefined) continue;
    aliases.set(name, { value: table.string(name) ?? '', place: table.place(name) });
  }
  return aliases;
}

function unknownKeys(table: TomlTable, keys: ReadonlySet<string>): { key: string; place: Place }[] {
  return table.keys.filter((key) => !keys.has(key)).map((key) => ({ key, place: table.place(key) }));
}

/** Three lists of hosts; no mirrors, no prefixes. */
function parseFirstVersion(document: TomlTable, first: TomlTable, kind: 'main' | 'drop-in'): RegistriesConf {
  if (kind === 'drop-in' || document.has('registry')) {
    throw misconfigured(first.place(), 'version 1 ([registries.…]) cannot stand beside version 2 ([[registry]])');
  }
  const entries = new Map<string, RegistryEntry>();
  const insecure = new Set(firstList(first, 'insecure')?.values);
  const blocked = new Set(firstList(first, 'block')?.values);
  for (const [names, key] of [[insecure, 'insecure'] as const, [blocked, 'block'] as const]) {
    for (const prefix of names) {
      const problem = locationProblem(prefix);
      const at = first.table(key)?.place('registries') ?? first.place();
      if (problem !== undefined) throw misconfigured(at, `${quoted(prefix)}: ${problem}`);
      const flags = { insecure: insecure.has(prefix), blocked: blocked.has(prefix) };
      entries.set(lowerHost(prefix), {
        prefix: lowerHost(prefix),
        location: undefined,
        ...flags,
        mirrors: [],
        place: at,
      });
    }
  }
  return { entries, searchRegistries: firstList(first, 'search'), aliases: new Map(), unknown: [] };
}

function firstList(first: TomlTable, key: string): Listed | undefined {
  const table = first.table(key);
  return table === undefined ? undefined : listed(table, 'registries');
}
