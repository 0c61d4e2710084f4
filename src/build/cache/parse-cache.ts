import { resolve } from 'node:path';
import { formatReference, isDigest, largestLevels, parseReference, readDuration } from '../../oci/index.ts';
import { messageOf } from '../../errors.ts';
import { compressionCalled } from '../compression-words.ts';
import { BuildError } from '../error.ts';
import type { ImageForm } from '../../store/index.ts';
import { csvFields } from '../csv.ts';
import type { CacheExport, CachePlace, GhaPlace, S3Place } from './request.ts';

/** Options of both directions, and those of exports alone. */
const placeKeys: Readonly<Record<string, readonly string[]>> = {
  registry: ['ref'],
  local: ['tag'],
  s3: ['bucket', 'region', 'prefix', 'name', 'endpoint_url', 'use_path_style'],
  gha: ['scope', 'timeout', 'url_v2', 'version'],
  inline: [],
};
const importKeys: Readonly<Record<string, readonly string[]>> = { local: ['src', 'digest'] };
const formKeys = ['compression', 'compression-level', 'force-compression', 'oci-mediatypes', 'image-manifest'];
const exportKeys: Readonly<Record<string, readonly string[]>> = {
  registry: ['mode', 'ignore-error', ...formKeys],
  local: ['dest', 'mode', 'ignore-error', ...formKeys],
  s3: ['mode', 'ignore-error', ...formKeys],
  gha: ['mode', 'ignore-error', ...formKeys],
};

/** Credentials on a command line are seen by everybody on the machine. */
const secretKeys: Readonly<Record<string, string>> = {
  access_key_id: 'AWS_ACCESS_KEY_ID',
  secret_access_key: 'AWS_SECRET_ACCESS_KEY',
  session_token: 'AWS_SESSION_TOKEN',
  token: 'ACTIONS_RUNTIME_TOKEN',
  ghtoken: 'ACTIONS_RUNTIME_TOKEN',
};

type Values = Readonly<Record<string, string>>;
type Flag = '--cache-from' | '--cache-to';

/**
 * The meaning of one `--cache-from`: `type=registry,ref=NAME`, or names of images alone. undefined: it asks for nothing, as
 * `type=inline` does (an inline cache is read as `type=registry`).
 * @throws BuildError CACHE_OPTION_INVALID
 */
export function parseCacheFrom(text: string): readonly CachePlace[] {
  const flag = '--cache-from';
  if (!text.includes('='))
    return fieldsOf(text, flag).map((ref) => ({ type: 'registry', ref: nameOf(ref, text, flag) }));
  const { type, values } = optionsOf(text, flag);
  check(type, values, [...(placeKeys[type] ?? []), ...(importKeys[type] ?? [])], { text, flag });
  if (type === 'inline') {
    throw invalid(text, flag, 'an inline cache is in an image', 'write type=registry,ref=IMAGE');
  }
  return [placeOf(type, values, { text, flag })];
}

/**
 * The meaning of one `--cache-to`: `type=registry|local|inline|s3|gha,…`, or the name of an image alone.
 * @throws BuildError CACHE_OPTION_INVALID
 */
export function parseCacheTo(text: string): readonly CacheExport[] {
  const flag = '--cache-to';
  if (!text.includes('=')) {
    if (text === 'inline') return [{ type: 'inline' }];
    return fieldsOf(text, flag).map((ref) => ({
      type: 'place',
      place: { type: 'registry', ref: nameOf(ref, text, flag) },
      mode: 'min',
      form: { compression: 'gzip', mediaTypes: 'oci' },
      ignoreError: true,
    }));
  }
  const { type, values } = optionsOf(text, flag);
  check(type, values, [...(placeKeys[type] ?? []), ...(exportKeys[type] ?? [])], { text, flag });
  if (type === 'inline') return [{ type: 'inline' }];
  const mode = values['mode'] ?? 'min';
  if (mode !== 'min' && mode !== 'max')
    throw invalid(text, flag, `unknown mode ${JSON.stringify(mode)}`, 'modes are min and max');
  if (!yes(values, 'image-manifest', true, { text, flag })) {
    throw invalid(text, flag, 'a cache is an image manifest here', 'leave image-manifest=false away');
  }
  return [
    {
      type: 'place',
      place: placeOf(type, values, { text, flag }),
      mode,
      form: formOf(values, { text, flag }),
      ignoreError: yes(values, 'ignore-error', true, { text, flag }),
    },
  ];
}

interface Where {
  readonly text: string;
  readonly flag: Flag;
}

function placeOf(type: string, values: Values, where: Where): CachePlace {
  const { text, flag } = where;
  switch (type) {
    case 'registry':
      return { type, ref: nameOf(required(values, 'ref', where), text, flag) };
    case 'local':
      return localPlace(values, where);
    case 's3':
      return s3Place(values, where);
    case 'gha':
      return ghaPlace(values, where);
    case 'azblob':
      throw invalid(text, flag, 'type=azblob is not supported', 'use s3, a registry or a local folder');
    default:
      throw invalid(
        text,
        flag,
        `unknown type ${JSON.stringify(type)}`,
        'types are registry, local, inline, s3 and gha',
      );
  }
}

function localPlace(values: Values, where: Where): CachePlace {
  const path = resolve(required(values, where.flag === '--cache-to' ? 'dest' : 'src', where));
  const { digest, tag = 'latest' } = values;
  if (digest === undefined) return { type: 'local', path, tag };
  if (!isDigest(digest)) throw invalid(where.text, where.flag, `${JSON.stringify(digest)} is not a digest`);
  return { type: 'local', path, tag: digest };
}

function s3Place(values: Values, where: Where): S3Place {
  const { text, flag } = where;
  const bucket = values['bucket'] ?? process.env['AWS_BUCKET'] ?? '';
  const region = values['region'] ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? '';
  if (bucket === '') throw invalid(text, flag, 's3 needs bucket=');
  if (region === '') throw invalid(text, flag, 's3 needs region=', 'or AWS_REGION in the environment');
  const endpoint = values['endpoint_url'];
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    throw invalid(text, flag, 'endpoint_url is no http or https URL');
  const prefix = values['prefix'] ?? '';
  return {
    type: 's3',
    bucket,
    region,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    names: (values['name'] ?? 'buildkit').split(';').filter((name) => name !== ''),
    endpoint,
    pathStyle: yes(values, 'use_path_style', endpoint !== undefined, where),
  };
}

function ghaPlace(values: Values, where: Where): GhaPlace {
  const version = values['version'] ?? '2';
  if (version !== '2') {
    throw invalid(
      where.text,
      where.flag,
      'only version 2 of the cache service is spoken',
      'GitHub ended version 1 in 2025',
    );
  }
  return {
    type: 'gha',
    scope: values['scope'] ?? 'buildkit',
    timeout: milliseconds(values['timeout'] ?? '10m', where),
    url: values['url_v2'],
  };
}

/** Go's durations, as buildx takes them: `10m`, `1m30s`. */
function milliseconds(text: string, where: Where): number {
  const found = readDuration(text);
  if (found === undefined) throw invalid(where.text, where.flag, `${JSON.stringify(text)} is no duration such as 10m`);
  return found;
}

function formOf(values: Values, where: Where): ImageForm {
  const { compression = 'gzip', 'compression-level': levelText } = values;
  const form = compressionCalled(compression);
  if (form === undefined)
    throw invalid(
      where.text,
      where.flag,
      `unknown compression ${JSON.stringify(compression)}`,
      'gzip, zstd or uncompressed',
    );
  const level = levelText === undefined ? undefined : Number(levelText);
  if (level !== undefined && !(Number.isInteger(level) && level >= 0 && level <= largestLevels[form]))
    throw invalid(where.text, where.flag, `compression-level is a number from 0 to ${largestLevels[form]}`);
  return {
    mediaTypes: yes(values, 'oci-mediatypes', true, where) ? 'oci' : 'docker',
    compression: form,
    ...(level === undefined ? {} : { level }),
    ...(yes(values, 'force-compression', false, where) ? { force: true } : {}),
  };
}

function nameOf(ref: string, text: string, flag: Flag): string {
  try {
    return formatReference(parseReference(ref));
  } catch (cause) {
    throw invalid(text, flag, `${JSON.stringify(ref)} is no image name`, undefined, cause);
  }
}

function required(values: Values, key: string, { text, flag }: Where): string {
  const value = values[key];
  if (value === undefined || value === '') throw invalid(text, flag, `${key}= is missing`);
  return value;
}

function yes(values: Values, key: string, otherwise: boolean, { text, flag }: Where): boolean {
  const value = values[key];
  if (value === undefined) return otherwise;
  if (!['true', 'false', '1', '0'].includes(value)) throw invalid(text, flag, `${key} is true or false`);
  return value === 'true' || value === '1';
}

function check(type: string, values: Values, known: readonly string[], { text, flag }: Where): void {
  for (const key of Object.keys(values)) {
    if (known.includes(key) || type === 'azblob' || placeKeys[type] === undefined) continue;
    const variable = secretKeys[key];
    if (variable !== undefined) {
      // The text is not repeated: the secret is in it.
      throw new BuildError(
        'CACHE_OPTION_INVALID',
        `invalid argument for "${flag}" flag: ${key} is not taken from the command line`,
        {
          exitCode: 125,
          hint: `everybody on the machine can read it there; set ${variable} in the environment`,
        },
      );
    }
    throw invalid(text, flag, `${type} has no option ${JSON.stringify(key)}`, `its options are ${known.join(', ')}`);
  }
}

function optionsOf(text: string, flag: Flag): { readonly type: string; readonly values: Values } {
  const { type = '', ...values } = Object.fromEntries(
    fieldsOf(text, flag).map((field): [string, string] => {
      const equals = field.indexOf('=');
      if (equals < 1) throw invalid(text, flag, `${JSON.stringify(field)} is not key=value`);
      return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim()];
    }),
  );
  if (type === '') throw invalid(text, flag, 'type= is missing', 'types are registry, local, inline, s3 and gha');
  return { type, values };
}

function fieldsOf(text: string, flag: Flag): readonly string[] {
  try {
    return csvFields(text);
  } catch (error) {
    throw invalid(text, flag, messageOf(error));
  }
}

function invalid(text: string, flag: Flag, why: string, hint?: string, cause?: unknown): BuildError {
  return new BuildError('CACHE_OPTION_INVALID', `invalid argument ${JSON.stringify(text)} for "${flag}" flag: ${why}`, {
    exitCode: 125,
    hint,
    cause,
  });
}
