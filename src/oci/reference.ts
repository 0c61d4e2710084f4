import { type Digest, isDigest } from './digest.ts';
import { OciError } from './error.ts';
import { compact } from './json.ts';

declare const referenceBrand: unique symbol;

/** The full name of an image: made by `parseReference` or `withTag` only, so each part was checked. */
export type Reference = ReferenceParts & { readonly [referenceBrand]: true };

export interface ReferenceParts {
  /** `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** With docker.io's `library/` filled in. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

export interface ParseReferenceOptions {
  /** Leaves the tag open where there is neither tag nor digest, instead of `latest`. */
  readonly keepUntagged?: boolean;
}

const defaultRegistry = 'docker.io';
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const registryPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const componentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/;

/**
 * Reads an image's name as docker does (distribution reference grammar): `debian` is
 * `docker.io/library/debian:latest`; `name:tag@digest` keeps both.
 * @throws OciError INVALID_REFERENCE
 */
export function parseReference(text: string, options: ParseReferenceOptions = {}): Reference {
  if (text === '') refuse(text, 'it is empty');
  if (text.length > 1024) refuse(text, 'it is too long');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) refuse(text, 'it is a URL', `leave ${text.split('//')[0]}// away`);
  const [named, digest] = splitDigest(text);
  const [name, tag] = splitTag(named, text);
  if (/^[0-9a-f]{64}$/.test(name)) refuse(text, '64 hexadecimal digits are an image id, not a name');
  const { registry, repository } = splitRegistry(name);
  checkRegistry(registry, text);
  checkRepository(repository, text);
  const open = tag === undefined && digest === undefined && options.keepUntagged !== true;
  return brand(compact<ReferenceParts>({ registry, repository, tag: open ? 'latest' : tag, digest }));
}

/** `registry/repository[:tag][@digest]`, nothing left out. */
export function formatReference(reference: ReferenceParts): string {
  return `${reference.registry}/${reference.repository}${suffix(reference)}`;
}

/** docker's short form: `debian:12` for `docker.io/library/debian:12`. */
export function familiarName(reference: ReferenceParts): string {
  return `${familiarRepository(reference)}${suffix(reference)}`;
}

/** The short form without tag and digest, as `docker images` has it in REPOSITORY. */
export function familiarRepository(reference: ReferenceParts): string {
  const full = formatName(reference);
  if (reference.registry !== defaultRegistry) return full;
  const { repository } = reference;
  // `docker.io/a.b/c` or `library/localhost/x` shortened would read as another name.
  const forms = repository.startsWith('library/') ? [repository.slice('library/'.length), repository] : [repository];
  return forms.find((form) => formatName(splitRegistry(form)) === full) ?? full;
}

/** `registry/repository`: the label of a repository. */
export function formatName(reference: ReferenceParts): string {
  return `${reference.registry}/${reference.repository}`;
}

/** The same repository under another tag, without digest. @throws OciError INVALID_REFERENCE */
export function withTag(reference: ReferenceParts, tag: string): Reference {
  checkTag(tag, formatName(reference));
  return brand({ registry: reference.registry, repository: reference.repository, tag });
}

/** The same repository at a digest, without tag. */
export function withDigest(reference: ReferenceParts, digest: Digest): Reference {
  return brand({ registry: reference.registry, repository: reference.repository, digest });
}

/** What a Target of the repository resolves: the digest where there is one, else the tag. */
export function targetReference(reference: ReferenceParts): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

function brand(parts: ReferenceParts): Reference {
  return parts as Reference;
}

function suffix({ tag, digest }: ReferenceParts): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitDigest(text: string): readonly [string, Digest | undefined] {
  const at = text.indexOf('@');
  if (at < 0) return [text, undefined];
  const digest = text.slice(at + 1);
  if (!isDigest(digest))
    refuse(text, `${JSON.stringify(digest)} is not a digest`, 'a digest reads sha256: and 64 digits');
  return [text.slice(0, at), digest];
}

/** A colon after the last slash begins the tag; an earlier one is a port's or an IPv6 address's. */
function splitTag(named: string, text: string): readonly [string, string | undefined] {
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  if (colon < 0) return [named, undefined];
  const tag = named.slice(colon + 1);
  checkTag(tag, text);
  return [named.slice(0, colon), tag];
}

/** docker's rule: the first part is a host if it has a dot, a colon or a capital letter, or is `localhost`. */
function splitRegistry(name: string): ReferenceParts {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = slash >= 0 && (/[.:[A-Z]/.test(first) || first === 'localhost');
  const registry = !isHost || first === 'index.docker.io' ? defaultRegistry : first;
  const rest = isHost ? name.slice(slash + 1) : name;
  const repository = registry === defaultRegistry && !rest.includes('/') ? `library/${rest}` : rest;
  return { registry, repository };
}

function checkRegistry(registry: string, text: string): void {
  if (!registryPattern.test(registry)) refuse(text, `${JSON.stringify(registry)} is not a host`);
  const port = /:([0-9]+)$/.exec(registry.replace(/^\[.*\]/, ''))?.[1];
  if (port !== undefined && Number(port) > 65535) refuse(text, `port ${port} does not exist`);
}

function checkRepository(repository: string, text: string): void {
  if (repository.length > 255) refuse(text, 'the repository has more than 255 characters');
  const wrong = repository.split('/').find((component) => !componentPattern.test(component));
  if (wrong === undefined) return;
  if (wrong === '' || wrong === 'library/') refuse(text, 'a part of the name is empty');
  if (componentPattern.test(wrong.toLowerCase())) {
    refuse(text, 'repository names are in lower case', `did you mean ${text.replace(wrong, wrong.toLowerCase())}?`);
  }
  refuse(
    text,
    `${JSON.stringify(wrong)} cannot be part of a name`,
    'names have a-z and 0-9, joined by single . or _, two __, or any number of -',
  );
}

function checkTag(tag: string, text: string): void {
  if (tagPattern.test(tag)) return;
  const rule = tag.length > 128 ? 'the tag has more than 128 characters' : `${JSON.stringify(tag)} is not a tag`;
  refuse(text, rule, 'a tag has up to 128 letters, digits, _, . or -, and does not begin with . or -');
}

function refuse(text: string, reason: string, hint?: string): never {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  throw new OciError('INVALID_REFERENCE', `not an image name: ${shown}: ${reason}`, { hint });
}

/** Whether `text` reads as a name; an id or a path may not. */
export function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}
