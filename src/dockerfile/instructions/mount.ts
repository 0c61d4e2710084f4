import { readSize } from '../../oci/index.ts';
import { DockerfileError } from '../error.ts';
import { quote } from '../quote.ts';
import { didYouMean } from '../suggest.ts';
import { cut } from '../text.ts';
import { parseBoolean, splitFields } from './fields.ts';

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

/** `--mount` as written, after expansion and with defaults. */
export interface Mount {
  readonly type: MountType;
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Bytes. */
  readonly size: number | undefined;
  readonly id: string;
  readonly sharing: 'shared' | 'private' | 'locked' | undefined;
  readonly required: boolean;
  readonly env: string | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

type Draft = { -readonly [Key in keyof Mount]: Mount[Key] };

const types: readonly string[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const sharings: readonly string[] = ['shared', 'private', 'locked'];
const keys =
  'type from source src target dst destination readonly ro readwrite rw id sharing required size mode uid gid env'.split(
    ' ',
  );

/**
 * What is to be known before variables are: the source that a mount reads from.
 * @throws DockerfileError INVALID_FLAG
 */
export function mountFrom(text: string): string {
  let from = '';
  for (const field of splitFields(text, 'mounts')) {
    const [key, value] = cut(field, '=') ?? [field, ''];
    if (key.toLowerCase() !== 'from') continue;
    if (/\$./s.test(value)) {
      throw invalid("'from' doesn't support variable expansion, define alias stage instead");
    }
    from = value;
  }
  return from;
}

/** @throws DockerfileError INVALID_FLAG */
export function parseMount(text: string, expandValue: (value: string) => string): Mount {
  const draft: Draft = {
    type: 'bind',
    from: '',
    source: '',
    target: '',
    readOnly: true,
    size: undefined,
    id: '',
    sharing: undefined,
    required: false,
    env: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
  };
  let readOnly: boolean | undefined;
  for (const field of splitFields(text, 'mounts')) {
    const [written, raw] = cut(field, '=') ?? [field, undefined];
    const key = written.toLowerCase();
    const value = raw === undefined ? undefined : expandValue(raw);
    if (key === 'readonly' || key === 'ro') readOnly = flag(key, value);
    else if (key === 'readwrite' || key === 'rw') readOnly = !flag(key, value);
    else if (key === 'required') draft.required = required(draft, value);
    else if (value === undefined) throw invalid(`invalid field '${field}' must be a key=value pair`, field);
    else setValue(draft, key, value, field);
  }
  draft.readOnly = readOnly ?? (draft.type !== 'cache' && draft.type !== 'tmpfs');
  check(draft);
  return draft;
}

function setValue(draft: Draft, key: string, value: string, field: string): void {
  switch (key) {
    case 'type':
      draft.type = oneOf(value, types, 'mount type') as MountType;
      return;
    case 'from':
    case 'id':
    case 'env':
      draft[key] = value;
      return;
    case 'source':
    case 'src':
      draft.source = value;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      draft.target = value;
      return;
    case 'size':
      if (draft.type !== 'tmpfs') throw unexpected(key, draft.type);
      draft.size = parseSize(value);
      return;
    case 'sharing':
      draft.sharing = oneOf(value, sharings, 'sharing value') as Draft['sharing'];
      return;
    case 'mode':
      draft.mode = parseWhole(value, 8, key);
      return;
    case 'uid':
    case 'gid':
      draft[key] = parseWhole(value, 10, key);
      return;
    default:
      throw invalid(`unexpected key '${key}' in '${field}'${didYouMean(key, keys)}`, field);
  }
}

function oneOf(value: string, allowed: readonly string[], what: string): string {
  const lower = value.toLowerCase();
  if (allowed.includes(lower)) return lower;
  throw invalid(`unsupported ${what} ${quote(value)}${didYouMean(value, allowed)}`);
}

function flag(key: string, value: string | undefined): boolean {
  const parsed = value === undefined ? true : parseBoolean(value);
  if (parsed === undefined) throw invalid(`invalid value for ${key}: ${value}`);
  return parsed;
}

function required(draft: Draft, value: string | undefined): boolean {
  if (draft.type !== 'secret' && draft.type !== 'ssh') throw unexpected('required', draft.type);
  return flag('required', value);
}

function parseWhole(value: string, base: 8 | 10, key: string): number {
  const number = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (!(number < 2 ** 32)) throw invalid(`invalid value ${value} for ${key}`);
  return number;
}

/** Bytes of `64m`, `1.5 GiB`, `100`; units are of 1024. */
function parseSize(value: string): number {
  const bytes = readSize(value);
  if (bytes === undefined) throw invalid(`invalid value for size: ${value}`);
  return bytes;
}

function check({ type, mode, uid, gid, from, sharing, source, target, id }: Draft): void {
  if (type === 'bind' || type === 'tmpfs') {
    for (const [key, value] of Object.entries({ mode, uid, gid })) {
      if (value !== undefined) throw invalid(`${key} not allowed for ${quote(type)} type mounts`);
    }
  }
  if (type === 'secret') {
    if (from !== '') throw invalid('secret mount should not have a from');
    if (sharing !== undefined) throw invalid('secret mount should not define sharing');
    if (source === '' && target === '' && id === '') {
      throw invalid('invalid secret mount. one of source, target required');
    }
    if (source !== '' && id !== '') throw invalid("both source and id can't be set");
  }
  if (type === 'ssh' && source !== '') throw invalid('ssh does not support source');
  if (sharing !== undefined && type !== 'cache') throw invalid(`invalid cache sharing set for ${type} mount`);
}

function unexpected(key: string, type: MountType): DockerfileError {
  return invalid(`unexpected key '${key}' for mount type '${type}'`);
}

/** `field` is where in the mount the mistake is. */
function invalid(message: string, field?: string): DockerfileError {
  return new DockerfileError('INVALID_FLAG', message, field === undefined ? {} : { part: { text: field } });
}
