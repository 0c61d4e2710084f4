import { join } from 'node:path';
import { isRecord } from '../record.ts';
import { type ConfigText, readConfigText } from './config-file.ts';
import { type ConfigEnvironment, userConfigFolder } from './environment.ts';
import { misconfigured, type Place } from './place.ts';

/** What dockerd's daemon.json says of registries; the rest of it is not ours to judge. */
export interface DockerDaemon {
  /** `registry-mirrors`: of Docker Hub only, http or https, a path allowed. */
  readonly mirrors: readonly { readonly url: URL; readonly place: Place }[];
  /** `insecure-registries`: hosts with an optional port, or networks (`10.0.0.0/8`). */
  readonly insecure: readonly { readonly value: string; readonly place: Place }[];
}

export const emptyDockerDaemon: DockerDaemon = { mirrors: [], insecure: [] };

/** The user's daemon.json (rootless docker), then the machine's; each list comes from the first that has it. */
export function readDockerDaemon(environment: ConfigEnvironment): DockerDaemon {
  const paths = [
    join(userConfigFolder(environment), 'docker/daemon.json'),
    join(environment.etc, 'docker/daemon.json'),
  ];
  const found = paths.flatMap((path) => readConfigText(path) ?? []).map((file) => parseDockerDaemon(file));
  return {
    mirrors: found.find(({ mirrors }) => mirrors.length > 0)?.mirrors ?? [],
    insecure: found.find(({ insecure }) => insecure.length > 0)?.insecure ?? [],
  };
}

/** @throws RegistryError CONFIG */
export function parseDockerDaemon(file: ConfigText): DockerDaemon {
  const document = parseJson(file);
  const mirrors = listOf(file, document, 'registry-mirrors').map(({ value, place }) => ({
    url: mirrorUrl(value, place),
    place,
  }));
  const insecure = listOf(file, document, 'insecure-registries').map(({ value, place }) => ({
    value: value
      .replace(/^https?:\/\//i, '')
      .replace(/\/$/, '')
      .toLowerCase(),
    place,
  }));
  return { mirrors, insecure };
}

function parseJson({ path, text }: ConfigText): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(text.trim() === '' ? '{}' : text);
  } catch (cause) {
    // the rest of the parser's message quotes the text, and the URL of a proxy in it may hold a password
    const line = /\(line (\d+) column/.exec(cause instanceof Error ? cause.message : '')?.[1];
    throw misconfigured({ source: path, line: line === undefined ? undefined : Number(line) }, 'is not JSON');
  }
  if (isRecord(document)) return document;
  throw misconfigured({ source: path }, 'is not a JSON object');
}

function listOf(
  { path, text }: ConfigText,
  document: Readonly<Record<string, unknown>>,
  key: string,
): { readonly value: string; readonly place: Place }[] {
  const value = document[key];
  if (value === undefined) return [];
  const at = text.indexOf(JSON.stringify(key));
  const place = { source: path, line: at < 0 ? undefined : text.slice(0, at).split('\n').length };
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw misconfigured(place, `${key} must be a list of texts`);
  }
  return value.map((item) => ({ value: item, place }));
}

function mirrorUrl(text: string, place: Place): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw misconfigured(place, `a mirror in registry-mirrors is not an http or https URL`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw misconfigured(place, `a mirror in registry-mirrors has a user, a query or a fragment in its URL`);
  }
  return url;
}
