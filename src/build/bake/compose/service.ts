import { readSize } from '../../../oci/index.ts';
import type { Path, Reading } from './document.ts';

type Pairs = Readonly<Record<string, string | null>>;

/** What a service says of its build, in one form whichever way it is written. */
export interface Build {
  readonly context?: string;
  readonly dockerfile?: string;
  readonly dockerfile_inline?: string;
  readonly target?: string;
  readonly network?: string;
  readonly sbom?: string;
  readonly provenance?: string;
  /** Bytes. */
  readonly shm_size?: number;
  readonly no_cache?: boolean;
  readonly pull?: boolean;
  readonly args?: Pairs;
  readonly labels?: Pairs;
  readonly additional_contexts?: Pairs;
  readonly ssh?: Pairs;
  readonly extra_hosts?: Readonly<Record<string, string>>;
  readonly ulimits?: Readonly<Record<string, string>>;
  readonly cache_from?: readonly string[];
  readonly cache_to?: readonly string[];
  readonly no_cache_filter?: readonly string[];
  readonly tags?: readonly string[];
  readonly platforms?: readonly string[];
  readonly secrets?: readonly string[];
  readonly 'x-bake'?: Readonly<Record<string, unknown>>;
}

export interface Service {
  readonly image?: string;
  readonly build?: Build;
  readonly environment: Pairs;
  readonly envFiles: readonly { readonly path: string; readonly required: boolean }[];
  /** Another service of the file that this one begins with. */
  readonly extends?: string;
}

const texts = ['context', 'dockerfile', 'dockerfile_inline', 'target', 'network', 'sbom', 'provenance'];
const flags = ['no_cache', 'pull'];
const pairs = ['args', 'labels', 'additional_contexts', 'ssh'];
const lists = ['cache_from', 'cache_to', 'no_cache_filter', 'tags', 'platforms'];
/** Known to compose; there is nothing here that they could change. */
const ignored = ['isolation', 'privileged', 'entitlements'];

/** @throws BuildError BAKE_INVALID */
export function readService(reading: Reading, value: unknown, path: Path, warn: (what: string) => void): Service {
  const service = reading.object(value, path);
  const { image, build, environment, env_file: envFile, extends: base } = service;
  return {
    ...(image === undefined ? {} : { image: reading.text(image, [...path, 'image']) }),
    ...(build === undefined || build === null ? {} : { build: readBuild(reading, build, [...path, 'build'], warn) }),
    environment: reading.pairs(environment, [...path, 'environment']),
    envFiles: readEnvFiles(reading, envFile, [...path, 'env_file']),
    ...(base === undefined ? {} : { extends: readExtends(reading, base, [...path, 'extends']) }),
  };
}

function readEnvFiles(reading: Reading, value: unknown, path: Path): Service['envFiles'] {
  if (!Array.isArray(value)) return reading.texts(value, path).map((file) => ({ path: file, required: true }));
  return (value as readonly unknown[]).map((item, index) => {
    const at = [...path, index];
    if (typeof item === 'string') return { path: item, required: true };
    const { path: file, required = true } = reading.object(item, at);
    return { path: reading.text(file, [...at, 'path']), required: reading.flag(required, [...at, 'required']) };
  });
}

function readExtends(reading: Reading, value: unknown, path: Path): string {
  if (typeof value === 'string') return value;
  const { service, file } = reading.object(value, path);
  if (file !== undefined) reading.fail(path, 'services of other files cannot be extended; give both files with -f');
  return reading.text(service, [...path, 'service']);
}

function readBuild(reading: Reading, value: unknown, path: Path, warn: (what: string) => void): Build {
  if (typeof value === 'string') return { context: value };
  const found: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(reading.object(value, path))) {
    const at = [...path, key];
    if (item === null) continue;
    if (texts.includes(key)) found[key] = reading.text(item, at);
    else if (flags.includes(key)) found[key] = reading.flag(item, at);
    else if (pairs.includes(key)) found[key] = reading.pairs(typeof item === 'string' ? [item] : item, at);
    else if (lists.includes(key)) found[key] = reading.texts(item, at);
    else if (key === 'extra_hosts') found[key] = readHosts(reading, item, at);
    else if (key === 'ulimits') found[key] = readUlimits(reading, item, at);
    else if (key === 'secrets') found[key] = readSecrets(reading, item, at);
    else if (key === 'shm_size') found[key] = sizeAt(reading, item, at);
    else if (key === 'x-bake') found[key] = reading.object(item, at);
    else if (ignored.includes(key)) warn(`${at.join('.')} has no effect`);
    else if (!key.startsWith('x-')) reading.fail(at, 'there is no such property of a build');
  }
  return found;
}

function readHosts(reading: Reading, value: unknown, path: Path): Record<string, string> {
  const isList = Array.isArray(value);
  const entries = isList
    ? Object.entries(reading.pairs(value, path, '=:'))
    : Object.entries(reading.object(value, path)).map(
        ([host, address]) => [host, reading.texts(address, [...path, host]).join(',')] as const,
      );
  return Object.fromEntries(entries.map(([host, address]) => [host, (address ?? '').replace(/^\[(.*)\]$/, '$1')]));
}

function readUlimits(reading: Reading, value: unknown, path: Path): Record<string, string> {
  const entries = Object.entries(reading.object(value, path)).map(([name, limit]) => {
    if (typeof limit !== 'object' || limit === null) {
      const number = reading.text(limit, [...path, name]);
      return [name, `${name}=${number}:${number}`] as const;
    }
    const { soft, hard } = reading.object(limit, [...path, name]);
    return [
      name,
      `${name}=${reading.text(soft, [...path, name, 'soft'])}:${reading.text(hard, [...path, name, 'hard'])}`,
    ] as const;
  });
  return Object.fromEntries(entries);
}

/** Which of the file's secrets the build gets. */
function readSecrets(reading: Reading, value: unknown, path: Path): string[] {
  if (!Array.isArray(value)) reading.fail(path, 'must be a list');
  return (value as readonly unknown[]).map((item, index) => {
    if (typeof item === 'string') return item;
    return reading.text(reading.object(item, [...path, index])['source'], [...path, index, 'source']);
  });
}

function sizeAt(reading: Reading, value: unknown, path: Path): number {
  const text = reading.text(value, path).trim();
  return readSize(text) ?? reading.fail(path, `${JSON.stringify(text)} is not a size, such as 64m`);
}

/** A later file's words on a service: texts take the place of earlier ones, lists grow, keys are joined. */
export function mergeServices(earlier: Service, later: Service): Service {
  const build = later.build === undefined ? earlier.build : mergeBuilds(earlier.build ?? {}, later.build);
  const image = later.image ?? earlier.image;
  return {
    ...(image === undefined ? {} : { image }),
    ...(build === undefined ? {} : { build }),
    environment: { ...earlier.environment, ...later.environment },
    envFiles: [...earlier.envFiles, ...later.envFiles],
    ...(later.extends === undefined ? {} : { extends: later.extends }),
  };
}

function mergeBuilds(earlier: Build, later: Build): Build {
  const merged: Record<string, unknown> = { ...earlier };
  for (const [key, value] of Object.entries(later) as [string, unknown][]) {
    const before = merged[key];
    if (Array.isArray(value) && Array.isArray(before))
      merged[key] = [...new Set([...(before as unknown[]), ...(value as unknown[])])];
    else if (isPlain(value) && isPlain(before)) merged[key] = { ...before, ...value };
    else merged[key] = value;
  }
  return merged;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
