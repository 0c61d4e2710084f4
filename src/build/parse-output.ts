import { type Compression, formatReference, parseReference } from '../oci/index.ts';
import { BuildError } from './error.ts';
import type { BuildOutput, OutputForm } from './request.ts';

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  oci: ['dest', 'name', 'tar', 'compression', 'compression-level', 'oci-mediatypes'],
  docker: ['dest', 'name', 'tar', 'compression', 'compression-level', 'oci-mediatypes'],
  tar: ['dest'],
  local: ['dest'],
  registry: ['name', 'compression', 'compression-level', 'oci-mediatypes'],
  image: ['name', 'push', 'compression', 'compression-level', 'oci-mediatypes'],
};

/**
 * The meaning of one `-o`: `type=oci,dest=FILE`, or a folder alone (`local`), or `-` (`tar` on standard output).
 * @throws BuildError OUTPUT_INVALID
 */
export function parseOutput(text: string): BuildOutput {
  if (!text.includes('='))
    return text === '-' ? { type: 'tar', destination: '-' } : { type: 'local', destination: text };
  const { type = '', ...values } = Object.fromEntries(text.split(',').map((pair) => pairOf(pair, text)));
  const keys = knownKeys[type];
  if (keys === undefined)
    throw invalid(text, `unknown type ${JSON.stringify(type)}`, `types are ${Object.keys(knownKeys).join(', ')}`);
  for (const key of Object.keys(values)) {
    if (!keys.includes(key))
      throw invalid(text, `${type} has no option ${JSON.stringify(key)}`, `its options are ${keys.join(', ')}`);
  }
  return outputOf(type, values, text);
}

function pairOf(pair: string, text: string): [string, string] {
  const equals = pair.indexOf('=');
  if (equals < 1) throw invalid(text, `${JSON.stringify(pair)} is not key=value`);
  return [pair.slice(0, equals).trim().toLowerCase(), pair.slice(equals + 1).trim()];
}

function invalid(text: string, why: string, hint?: string): BuildError {
  return new BuildError('OUTPUT_INVALID', `invalid output ${JSON.stringify(text)}: ${why}`, { exitCode: 125, hint });
}

function outputOf(type: string, values: Readonly<Record<string, string>>, text: string): BuildOutput {
  const name = values['name'] === undefined ? undefined : formatReference(parseReference(values['name']));
  const form = formOf(values, text);
  if (type === 'registry') return { type, name, form };
  if (type === 'image') return { type, name, push: flag(values, 'push', false, text), form };
  const destination = values['dest'];
  if (destination === undefined || destination === '') throw invalid(text, `${type} needs dest=`);
  if (type === 'tar' || type === 'local') return { type, destination };
  return { type: type as 'oci' | 'docker', destination, asFolder: !flag(values, 'tar', true, text), form };
}

function formOf(values: Readonly<Record<string, string>>, text: string): OutputForm {
  const compression = values['compression'];
  const names: Readonly<Record<string, Compression>> = {
    gzip: 'gzip',
    zstd: 'zstd',
    none: 'none',
    uncompressed: 'none',
  };
  if (compression !== undefined && names[compression] === undefined)
    throw invalid(text, `unknown compression ${JSON.stringify(compression)}`);
  const level = values['compression-level'] === undefined ? undefined : Number(values['compression-level']);
  if (level !== undefined && !(Number.isInteger(level) && level >= 0 && level <= 22))
    throw invalid(text, 'compression-level is a number from 0 to 22');
  const types =
    values['oci-mediatypes'] === undefined ? undefined : flag(values, 'oci-mediatypes', true, text) ? 'oci' : 'docker';
  return { compression: compression === undefined ? undefined : names[compression], level, mediaTypes: types };
}

function flag(values: Readonly<Record<string, string>>, key: string, otherwise: boolean, text: string): boolean {
  const value = values[key];
  if (value === undefined) return otherwise;
  if (!['true', 'false', '1', '0'].includes(value)) throw invalid(text, `${key} is true or false`);
  return value === 'true' || value === '1';
}
