import { formatBinarySize } from '../../../oci/index.ts';
import { parseEntries, parseSsh } from '../definition/entries.ts';
import { type Entry, type SshEntry, type Target, unique } from '../definition/target.ts';
import { cleanPath } from '../definition/paths.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import { BuildError } from '../../error.ts';
import type { Reading } from './document.ts';
import type { Variables } from './interpolate.ts';
import type { Build, Service } from './service.ts';

/** Where a secret of the file comes from. */
export interface ComposeSecret {
  readonly file?: string;
  readonly environment?: string;
  readonly external: boolean;
}

/** The secrets that a compose file declares at its top, by name. */
export function readComposeSecrets(reading: Reading): Map<string, ComposeSecret> {
  const root = reading.object(reading.document.root, []);
  const entries = Object.entries(reading.object(root['secrets'], ['secrets']));
  return new Map(
    entries.map(([name, value]) => {
      const path = ['secrets', name];
      const { file, environment, external } = reading.object(value, path);
      return [
        name,
        {
          ...(file === undefined ? {} : { file: cleanPath(reading.text(file, [...path, 'file'])) }),
          ...(environment === undefined ? {} : { environment: reading.text(environment, [...path, 'environment']) }),
          external: external === true || (typeof external === 'object' && external !== null),
        },
      ];
    }),
  );
}

interface TargetInputs {
  readonly secrets: ReadonlyMap<string, ComposeSecret>;
  /** What arguments without a value are taken from. */
  readonly variables: Variables;
}

/** The target that a service's build is. @throws BuildError BAKE_INVALID */
export function targetOf(service: string, { build = {}, image }: Service, inputs: TargetInputs): Target {
  const name = service.replaceAll('.', '_');
  if (!/^[a-zA-Z0-9_-]+$/.test(name))
    throw new BuildError(
      'BAKE_INVALID',
      `invalid service name ${JSON.stringify(name)}: only letters, digits, "_" and "-" are allowed`,
    );
  try {
    const target = { ...plainFields(build), ...entryFields(build, inputs), name };
    const tagged = (target.tags ?? []).length === 0 && image !== undefined ? { ...target, tags: [image] } : target;
    return withExtension(tagged, build);
  } catch (error) {
    if (!(error instanceof FunctionFailure)) throw error;
    throw new BuildError('BAKE_INVALID', `service ${service}: ${error.message}`, { cause: error });
  }
}

function plainFields(build: Build): Omit<Target, 'name'> {
  const { context, dockerfile, dockerfile_inline: inline, target, network, shm_size: shm = 0 } = build;
  return {
    ...(context === undefined || context === '' ? {} : { context }),
    ...(dockerfile === undefined || dockerfile === '' ? {} : { dockerfile }),
    ...(inline === undefined || inline === '' ? {} : { 'dockerfile-inline': inline }),
    ...(target === undefined || target === '' ? {} : { target }),
    ...(network === undefined || network === '' ? {} : { network }),
    ...(shm === 0 ? {} : { 'shm-size': formatBinarySize(shm) }),
    ...(build.no_cache === true ? { 'no-cache': true } : {}),
    ...(build.pull === true ? { pull: true } : {}),
    ...(build.tags === undefined ? {} : { tags: build.tags }),
    ...(build.platforms === undefined ? {} : { platforms: build.platforms }),
    ...(build.no_cache_filter === undefined ? {} : { 'no-cache-filter': build.no_cache_filter }),
    ...(build.ulimits === undefined ? {} : { ulimits: Object.values(build.ulimits) }),
    ...(build.extra_hosts === undefined ? {} : { 'extra-hosts': build.extra_hosts }),
  };
}

function entryFields(build: Build, { secrets, variables }: TargetInputs): Omit<Target, 'name'> {
  const { args, labels, additional_contexts: contexts, ssh, sbom = '', provenance = '' } = build;
  const attest = [...attestation('sbom', sbom), ...attestation('provenance', provenance)];
  return {
    ...(args === undefined ? {} : { args: present(args, variables) }),
    ...(labels === undefined ? {} : { labels: present(labels, {}, '') }),
    ...(contexts === undefined ? {} : { contexts: namedContexts(present(contexts, {}, '')) }),
    ...(ssh === undefined ? {} : { ssh: sshEntries(ssh) }),
    ...(build.cache_from === undefined
      ? {}
      : { 'cache-from': build.cache_from.flatMap((each) => parseEntries('cache-from', each)) }),
    ...(build.cache_to === undefined
      ? {}
      : { 'cache-to': build.cache_to.flatMap((each) => parseEntries('cache-to', each)) }),
    ...(build.secrets === undefined ? {} : { secret: build.secrets.map((id) => secretEntry(id, secrets.get(id))) }),
    ...(attest.length === 0 ? {} : { attest }),
  };
}

/** With values for those that have none, where there is one. */
function present(
  pairs: Readonly<Record<string, string | null>>,
  variables: Variables,
  otherwise?: string,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(pairs)) {
    const given = value ?? variables[name] ?? otherwise;
    if (given !== undefined) found[name] = given;
  }
  return found;
}

/** `service:base` is the target of that service. */
function namedContexts(contexts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(contexts).map(([name, value]) => {
      const match = /^(?:service|target):(.*)$/.exec(value);
      if (match !== null) return [name, `target:${(match[1] ?? '').replaceAll('.', '_')}`];
      return [
        name,
        value.includes('://') || /^(?:git@|github\.com\/|docker-image:|oci-layout:)/.test(value)
          ? value
          : cleanPath(value),
      ];
    }),
  );
}

function sshEntries(ssh: Readonly<Record<string, string | null>>): SshEntry[] {
  const entries = Object.entries(ssh).map(([id, path]) => ({ id, paths: path === null || path === '' ? [] : [path] }));
  return sortSsh(entries);
}

function sortSsh(entries: readonly SshEntry[]): SshEntry[] {
  return entries.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function attestation(type: string, text: string): readonly Entry[] {
  if (text === '') return [];
  const isSwitch = /^(?:1|t|true|0|f|false)$/i.test(text);
  if (!isSwitch) return parseEntries('attest', `type=${type},${text}`);
  return parseEntries('attest', `type=${type},disabled=${/^(?:1|t|true)$/i.test(text) ? 'false' : 'true'}`);
}

function secretEntry(id: string, secret: ComposeSecret | undefined): Entry {
  if (secret === undefined) throw new FunctionFailure(`refers to undefined build secret ${id}`);
  if (secret.external) throw new FunctionFailure(`unsupported external secret ${id}`);
  return {
    id,
    ...(secret.file === undefined ? {} : { src: secret.file }),
    ...(secret.environment === undefined ? {} : { env: secret.environment }),
  };
}

/** What compose has no word for: `x-bake`. */
function withExtension(target: Target, build: Build): Target {
  const extension = build['x-bake'];
  if (extension === undefined) return target;
  let result = target;
  for (const [key, value] of Object.entries(extension)) result = extend(result, key, value);
  return result;
}

function extend(target: Target, key: string, value: unknown): Target {
  const texts = (): string[] => (typeof value === 'string' ? value.trim().split(/\s+/) : listOf(key, value));
  switch (key) {
    case 'tags':
    case 'platforms':
    case 'no-cache-filter':
      return { ...target, [key]: unique([...(target[key] ?? []), ...texts()]) };
    case 'cache-from':
    case 'cache-to':
    case 'output':
    case 'secret':
      return { ...target, [key]: [...(target[key] ?? []), ...texts().flatMap((each) => parseEntries(key, each))] };
    case 'ssh':
      return { ...target, ssh: sortSsh([...(target.ssh ?? []), ...texts().map(parseSsh)]) };
    case 'pull':
    case 'no-cache':
      if (typeof value !== 'boolean') throw new FunctionFailure(`x-bake.${key} must be true or false`);
      return { ...target, [key]: value };
    case 'contexts':
      if (typeof value !== 'object' || value === null) throw new FunctionFailure('x-bake.contexts must be a mapping');
      return { ...target, contexts: { ...namedContexts(asTexts(value)), ...target.contexts } };
    default:
      throw new FunctionFailure(`x-bake has no ${JSON.stringify(key)}`);
  }
}

function listOf(key: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw new FunctionFailure(`x-bake.${key} must be a list or a text`);
  return (value as readonly unknown[]).map(String);
}

function asTexts(value: object): Record<string, string> {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)]));
}
