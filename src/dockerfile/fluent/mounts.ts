import type { Origin, Passage, StageValue } from './definition.ts';
import type { DockerfileText } from './literal.ts';
import { originOf } from './origin.ts';
import { expandable, field, flag } from './quoting.ts';

/** A mount of `run`; `bind`, `cache`, `tmpfs`, `secret` and `ssh` make them. */
export type StageMount = Passage;

export interface BindOptions {
  /** A stage, the name of one, or an image; the build context unless given. */
  readonly from?: StageValue | string;
  /** A path in `from`; its root unless given. */
  readonly source?: DockerfileText;
  /** Whether the command may write there; nothing of it is kept. */
  readonly readWrite?: boolean;
}

export interface CacheOptions {
  /** Mounts with one id share one cache; the target unless given. */
  readonly id?: DockerfileText;
  /** What several builds at once do with it; `shared` unless given. */
  readonly sharing?: 'shared' | 'private' | 'locked';
  readonly readOnly?: boolean;
  /** What a new cache begins with. */
  readonly from?: StageValue | string;
  readonly source?: DockerfileText;
  /** Of a new cache's folder, such as 0o755. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface TmpfsOptions {
  /** Bytes, or a number with a unit: `64m`. */
  readonly size?: number | string;
}

export interface CredentialOptions {
  /** Where the command finds it. */
  readonly target?: DockerfileText;
  /** Whether the build fails where it is not given. */
  readonly required?: boolean;
  /** Of the file, such as 0o400. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface SecretOptions extends CredentialOptions {
  /** The environment variable that holds it; then there is no file unless `target` asks for one. */
  readonly env?: DockerfileText;
}

export interface SshOptions extends CredentialOptions {
  /** `default` unless given. */
  readonly id?: DockerfileText;
}

/** Files of the build context, a stage or an image, at `target` while the command runs. */
export function bind(target: DockerfileText, options: BindOptions = {}): StageMount {
  const { from, source, readWrite } = options;
  return mount('bind', from, { source, target, readwrite: readWrite === true ? true : undefined });
}

/** A folder that outlives the build, for what may be fetched again. */
export function cache(target: DockerfileText, options: CacheOptions = {}): StageMount {
  const { from, source, id, sharing, readOnly, mode, uid, gid } = options;
  return mount('cache', from, {
    source,
    target,
    id,
    sharing,
    readonly: readOnly === true ? true : undefined,
    mode: mode?.toString(8),
    uid,
    gid,
  });
}

/** A folder in memory, empty at first and gone afterwards. */
export function tmpfs(target: DockerfileText, { size }: TmpfsOptions = {}): StageMount {
  return mount('tmpfs', undefined, { target, size });
}

/** A secret that the build is given under `id`: a file, `/run/secrets/<id>` unless said otherwise. */
export function secret(id: DockerfileText, options: SecretOptions = {}): StageMount {
  const { target, env, required, mode, uid, gid } = options;
  return mount('secret', undefined, { id, target, env, required, mode: mode?.toString(8), uid, gid });
}

/** The socket of an ssh agent that the build is given. */
export function ssh(options: SshOptions = {}): StageMount {
  const { id, target, required, mode, uid, gid } = options;
  return mount('ssh', undefined, { id, target, required, mode: mode?.toString(8), uid, gid });
}

type Fields = Readonly<Record<string, DockerfileText | number | boolean | undefined>>;

function mount(type: string, from: StageValue | string | undefined, fields: Fields): StageMount {
  const origin: Origin | undefined = from === undefined ? undefined : originOf(from);
  const rest = Object.entries(fields).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (value === true) return [key];
    return [field(key, typeof value === 'object' || typeof value === 'string' ? expandable(value) : String(value))];
  });
  return {
    reads: origin === undefined ? [] : [origin],
    write: (nameOf) => {
      // `from` is read as it is: the language expands nothing there.
      const source = origin === undefined ? [] : [field('from', nameOf(origin))];
      return flag('mount', [`type=${type}`, ...source, ...rest].join(','));
    },
  };
}
