import { type Compression, largestLevels, parseReference } from '../../oci/index.ts';
import { messageOf } from '../../errors.ts';
import { compressionCalled } from '../compression-words.ts';
import { BuildError } from '../error.ts';
import { annotationAttribute } from './annotations.ts';
import { csvFields } from '../csv.ts';
import type { Annotation, BuildOutput, ImageOutput, OutputForm } from './output.ts';

const formKeys = [
  'compression',
  'compression-level',
  'force-compression',
  'oci-mediatypes',
  'rewrite-timestamp',
  'source-date-epoch',
  'squash',
];
/** What BuildKit knows and what makes no difference here. */
const ignoredKeys = ['buildinfo', 'buildinfo-attrs', 'prefer-nondist-layers', 'oci-artifact', 'attestation-prefix'];
const imageKeys = ['name', 'push-by-digest', 'name-canonical', 'store', 'unpack', ...formKeys];
const archiveKeys = ['dest', 'name', 'tar', ...formKeys];
const knownKeys: Readonly<Record<string, readonly string[]>> = {
  oci: archiveKeys,
  docker: archiveKeys,
  tar: ['dest', 'platform-split'],
  local: ['dest', 'platform-split', 'mode'],
  registry: imageKeys,
  image: [...imageKeys, 'push'],
  cacheonly: [],
};

interface Attributes {
  readonly type: string;
  readonly values: ReadonlyMap<string, string>;
  readonly annotations: readonly Annotation[];
  /** The whole, for messages. */
  readonly text: string;
}

/**
 * The meaning of one `-o`: `type=oci,dest=FILE`, or a folder alone (`local`), or `-` (`tar` on standard output).
 * @throws BuildError OUTPUT_INVALID
 */
export function parseOutput(text: string): BuildOutput {
  if (!text.includes('=')) {
    return text === '-'
      ? { type: 'tar', destination: '-', mode: 'copy' }
      : { type: 'local', destination: text, mode: 'copy' };
  }
  return outputOf(attributesOf(text));
}

function attributesOf(text: string): Attributes {
  const values = new Map<string, string>();
  const annotations: Annotation[] = [];
  for (const field of fieldsOf(text)) {
    const [key, value] = pairOf(field, text);
    const annotation = annotationAttribute(key, value);
    if (annotation === undefined) values.set(key.toLowerCase(), value);
    else annotations.push(annotation);
  }
  const type = values.get('type') ?? '';
  const keys = Object.hasOwn(knownKeys, type) ? knownKeys[type] : undefined;
  if (keys === undefined)
    throw invalid(text, `unknown type ${JSON.stringify(type)}`, `types are ${Object.keys(knownKeys).join(', ')}`);
  const unknown = [...values.keys()].find((key) => key !== 'type' && !keys.includes(key) && !ignoredKeys.includes(key));
  if (unknown !== undefined)
    throw invalid(text, `${type} has no option ${JSON.stringify(unknown)}`, `its options are ${keys.join(', ')}`);
  if (annotations.length > 0 && !keys.includes('oci-mediatypes')) throw invalid(text, `${type} has no annotations`);
  return { type, values, annotations, text };
}

function fieldsOf(text: string): readonly string[] {
  try {
    return csvFields(text);
  } catch (error) {
    throw invalid(text, `${messageOf(error)}: quotes are those of comma-separated values`);
  }
}

/** The key keeps its case: an annotation's is its own. */
function pairOf(field: string, text: string): [string, string] {
  const equals = field.indexOf('=');
  if (equals < 1) throw invalid(text, `${JSON.stringify(field)} is not key=value`);
  return [field.slice(0, equals).trim(), field.slice(equals + 1).trim()];
}

function invalid(text: string, why: string, hint?: string): BuildError {
  return new BuildError('OUTPUT_INVALID', `invalid output ${JSON.stringify(text)}: ${why}`, { exitCode: 125, hint });
}

function outputOf(given: Attributes): BuildOutput {
  const { type, values, text } = given;
  const destination = values.get('dest');
  switch (type) {
    case 'cacheonly':
      return { type };
    case 'registry':
    case 'image':
      return imageOutput(type, given);
    case 'docker':
      // As buildx has it: without a file the image is loaded into the local store.
      if (destination === undefined) return imageOutput('image', given);
  }
  if (destination === undefined || destination === '') throw invalid(text, `${type} needs dest=`);
  if (type === 'tar' || type === 'local') {
    const platformSplit = values.has('platform-split') ? flag(given, 'platform-split', true) : undefined;
    return { type, destination, platformSplit, mode: modeOf(given) };
  }
  const asFolder = !flag(given, 'tar', true);
  if (asFolder && destination === '-') throw invalid(text, 'a folder cannot be written to standard output');
  return { type: type as 'oci' | 'docker', destination, asFolder, names: namesOf(given), form: formOf(given) };
}

function imageOutput(type: 'image' | 'registry', given: Attributes): ImageOutput {
  return {
    type,
    names: namesOf(given),
    push: type === 'registry' || flag(given, 'push', false),
    byDigest: flag(given, 'push-by-digest', false),
    canonical: flag(given, 'name-canonical', false),
    store: flag(given, 'store', true),
    unpack: flag(given, 'unpack', false),
    form: formOf(given),
  };
}

/** `"name=a,b"`: several, of which each must be one. */
function namesOf({ values, text }: Attributes): readonly string[] {
  const names = (values.get('name') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  for (const name of names) {
    if (parseReference(name).digest !== undefined)
      throw invalid(text, `${name} names content; a name has a tag or none`);
  }
  return names;
}

function modeOf({ values, text }: Attributes): 'copy' | 'delete' {
  const mode = values.get('mode') ?? 'copy';
  return mode === 'copy' || mode === 'delete' ? mode : refuse(text, 'mode is copy or delete');
}

function formOf(given: Attributes): OutputForm {
  const { values, annotations, text } = given;
  const compression = compressionOf(given);
  const mediaTypes = values.has('oci-mediatypes')
    ? flag(given, 'oci-mediatypes', true)
      ? 'oci'
      : 'docker'
    : undefined;
  if (mediaTypes === 'docker' && annotations.length > 0)
    throw invalid(text, 'manifests with docker media types have no annotations', 'leave oci-mediatypes=false away');
  if (mediaTypes === 'docker' && compression === 'zstd')
    throw invalid(text, 'docker has no media type for zstd layers', 'leave oci-mediatypes=false away');
  return {
    compression,
    level: levelOf(given, compression),
    mediaTypes,
    force: flag(given, 'force-compression', false),
    rewriteTimestamp: flag(given, 'rewrite-timestamp', false),
    epoch: epochOf(given),
    squash: flag(given, 'squash', false),
    annotations,
  };
}

function compressionOf({ values, text }: Attributes): Compression | undefined {
  const word = values.get('compression');
  if (word === undefined) return undefined;
  if (word === 'estargz')
    throw invalid(text, 'estargz is not made here', 'gzip gives layers that every tool reads; zstd gives smaller ones');
  return (
    compressionCalled(word) ?? refuse(text, `unknown compression ${JSON.stringify(word)}`, 'gzip, zstd or uncompressed')
  );
}

function levelOf({ values, text }: Attributes, compression: Compression = 'gzip'): number | undefined {
  const word = values.get('compression-level');
  if (word === undefined) return undefined;
  const most = largestLevels[compression];
  if (!/^\d{1,2}$/.test(word) || Number(word) > most)
    throw invalid(text, `compression-level is a number from 0 to ${most}`);
  return Number(word);
}

function epochOf({ values, text }: Attributes): number | undefined {
  const word = values.get('source-date-epoch');
  if (word === undefined) return undefined;
  return /^\d{1,12}$/.test(word) ? Number(word) : refuse(text, 'source-date-epoch is in seconds since 1970');
}

/** As Go's strconv.ParseBool. */
const flagWords: ReadonlyMap<string, boolean> = new Map(
  Object.entries({ 1: true, t: true, true: true, 0: false, f: false, false: false }),
);

function flag({ values, text }: Attributes, key: string, otherwise: boolean): boolean {
  const value = values.get(key);
  if (value === undefined) return otherwise;
  return flagWords.get(value.toLowerCase()) ?? refuse(text, `${key} is true or false`);
}

function refuse(text: string, why: string, hint?: string): never {
  throw invalid(text, why, hint);
}
