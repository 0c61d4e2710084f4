import { type CopyStep, isSecretName, type RunStep, type WorkdirStep } from '../../dockerfile/index.ts';
import { type Digest, digestOf } from '../../oci/index.ts';
import { plainNameOf } from '../copy/select.ts';

/** The named parts of a cache key, kept beside its digest so that a miss can be explained (DESIGN idea 4). */
export type KeyParts = Readonly<Record<string, string>>;

/** What a step is found again by. */
export interface CacheKey {
  readonly key: Digest;
  /** As they may be kept and shown: values of variables that are called like secrets are masked. */
  readonly parts: KeyParts;
  /** The key under which the result is kept as well where sources may be called otherwise: nothing of it shows their names. */
  readonly nameless?: CacheKey | undefined;
}

/** In place of the value of a variable that is called like a secret. */
export const maskedValue = '***';

/** Changes when the meaning of a key does: older records are then never found. */
const keyVersion = '2';

/** What of the whole build decides each step's result. */
export interface KeySurroundings {
  /** SOURCE_DATE_EPOCH of a reproducible build: the layer's times are told by it. */
  readonly epoch?: number | undefined;
}

/** The key of named parts, with the epoch of a reproducible build as one of them. */
export function cacheKeyOf(own: KeyParts, { epoch }: KeySurroundings = {}): CacheKey {
  const parts = epoch === undefined ? own : { ...own, epoch: String(epoch) };
  const sorted = Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1));
  return { key: digestOf(JSON.stringify([keyVersion, sorted])), parts: masked(parts) };
}

function masked(parts: KeyParts): KeyParts {
  const { environment } = parts;
  if (environment === undefined) return parts;
  const shown = (JSON.parse(environment) as string[]).map((variable) => {
    const name = variable.slice(0, Math.max(0, variable.indexOf('=')));
    return isSecretName(name) ? `${name}=${maskedValue}` : variable;
  });
  return { ...parts, environment: JSON.stringify(shown) };
}

/**
 * The key of a RUN step. Proxy values, host name and the image's other configuration do not count; `mounts` are the content
 * digests of what bind mounts show, by target.
 */
export function runKey(
  step: RunStep & { readonly hosts?: readonly string[] },
  parent: Digest | undefined,
  { mounts, ...around }: KeySurroundings & { readonly mounts: KeyParts },
): CacheKey {
  const own = {
    kind: 'run',
    parent: parent ?? 'scratch',
    command: JSON.stringify(step.args),
    environment: JSON.stringify(step.env),
    user: step.user,
    directory: step.cwd,
    network: step.network,
    security: step.security,
    // The names that it can look up, but not their addresses.
    ...(step.hosts === undefined || step.hosts.length === 0 ? {} : { hosts: JSON.stringify(step.hosts) }),
    pipes: JSON.stringify(step.pipes.map(({ name, content }) => [name, content])),
    mounts: JSON.stringify(step.mounts.map(mountIdentity)),
    ...Object.fromEntries(Object.entries(mounts).map(([target, digest]) => [`mount ${target}`, digest])),
  };
  return cacheKeyOf(own, around);
}

/** What of a mount decides its step's result: never a secret's value, never the content of a cache. */
function mountIdentity(mount: RunStep['mounts'][number]): readonly unknown[] {
  switch (mount.type) {
    case 'bind':
      return ['bind', mount.target, mount.source, mount.readWrite];
    case 'cache':
      // Not its id, nor how it is shared: which folder it is decides nothing that may be relied on.
      return ['cache', mount.target, mount.readOnly, mount.uid ?? 0, mount.gid ?? 0, mount.mode ?? null];
    case 'tmpfs':
      return ['tmpfs', mount.target, mount.size ?? null];
    case 'secret':
    case 'ssh':
      return [
        mount.type,
        mount.id,
        mount.target ?? null,
        mount.env ?? null,
        mount.required,
        mount.uid ?? 0,
        mount.gid ?? 0,
        mount.mode ?? null,
      ];
  }
}

/** The key of a COPY or ADD step; `sources` is the content digest of its selection. With `--link` the parent does not count. */
export function copyKey(
  step: CopyStep,
  parent: Digest | undefined,
  { sources, ...around }: KeySurroundings & { readonly sources: string },
): CacheKey {
  const own = {
    kind: 'copy',
    parent: step.link ? 'any' : (parent ?? 'scratch'),
    destination: step.destination,
    owner: step.owner ?? '',
    mode: step.mode ?? '',
    parents: String(step.parents),
    unpack: step.unpack,
    sources,
  };
  const names = namesOf(step);
  return { ...cacheKeyOf({ ...own, names }, around), nameless: cacheKeyOf({ ...own, names: 'any' }, around) };
}

/** What sources are called that the step names itself; the content digest covers the names of others. */
function namesOf(step: CopyStep): string {
  if (step.parents) return '[]';
  return JSON.stringify(
    step.sources.map((source) => (source.kind === 'path' ? (plainNameOf(source.path) ?? null) : null)),
  );
}

/** The key of WORKDIR: the folder, who makes it, and what is below. */
export function workdirKey(step: WorkdirStep, parent: Digest | undefined, around: KeySurroundings = {}): CacheKey {
  return cacheKeyOf({ kind: 'workdir', parent: parent ?? 'scratch', path: step.path, user: step.user }, around);
}
