import { FunctionFailure } from '../hcl/limits.ts';
import { csvFields } from './csv.ts';
import type { Entry, SshEntry } from './target.ts';

/** What stands in one line of text for an entry, as the flags of `build` have it. All throw FunctionFailure. */

/** Fields of a target that are lists of entries. */
export type EntryField = 'attest' | 'cache-from' | 'cache-to' | 'output' | 'secret' | 'policy';

/** One text is one entry; only names of cache images may be several, parted by commas. */
export function parseEntries(field: EntryField, text: string): readonly Entry[] {
  if (text === '') return [];
  switch (field) {
    case 'output':
      return [outputOf(text)];
    case 'secret':
      return [secretOf(text)];
    case 'cache-from':
    case 'cache-to':
      if (!text.includes('=')) return csvFields(text).map((ref) => ({ type: 'registry', ref }));
      return [checked(pairs(text), 'type', `type required for ${JSON.stringify(text)}`)];
    case 'attest':
      return [checked(disabledEntry(pairs(text, 'keep-case')), 'type', 'attestation type not specified')];
    case 'policy':
      return [pairs(text)];
  }
}

/** The same of an object. */
export function checkEntry(field: EntryField, entry: Entry): Entry {
  switch (field) {
    case 'output':
      return withoutEmpty(checked(entry, 'type', 'type is required for output'), 'dest');
    case 'cache-from':
    case 'cache-to':
      return checked(entry, 'type', `type required for ${JSON.stringify(entry)}`);
    case 'attest':
      return disabledEntry(entry);
    case 'secret': {
      const { id = '', src = '', env = '' } = entry;
      return secretEntry({ id, src, env });
    }
    case 'policy':
      return entry;
  }
}

function checked(entry: Entry, key: string, why: string): Entry {
  if ((entry[key] ?? '') === '') throw new FunctionFailure(why);
  return entry;
}

function withoutEmpty(entry: Entry, key: string): Entry {
  return Object.fromEntries(Object.entries(entry).filter(([name, value]) => name !== key || value !== ''));
}

function pairs(text: string, keys: 'lower-case' | 'keep-case' = 'lower-case'): Entry {
  return Object.fromEntries(
    csvFields(text).map((field) => {
      const equals = field.indexOf('=');
      if (equals < 0) throw new FunctionFailure(`invalid value ${field}`);
      const key = field.slice(0, equals);
      const known = ['type', 'disabled'].includes(key.trim().toLowerCase());
      return [keys === 'lower-case' || known ? key.trim().toLowerCase() : key, field.slice(equals + 1)];
    }),
  );
}

function outputOf(text: string): Entry {
  const fields = csvFields(text);
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type='))
    return { type: text === '-' ? 'tar' : 'local', dest: text };
  return withoutEmpty(checked(pairs(text), 'type', 'type is required for output'), 'dest');
}

function secretOf(text: string): Entry {
  const found: Record<string, string> = {};
  let type = '';
  for (const [key, value] of Object.entries(pairs(text))) {
    if (key === 'type') {
      if (value !== 'file' && value !== 'env')
        throw new FunctionFailure(`unsupported secret type ${JSON.stringify(value)}`);
      type = value;
    } else if (key === 'id' || key === 'env') found[key] = value;
    else if (key === 'src' || key === 'source') found['src'] = value;
    else throw new FunctionFailure(`unexpected key ${JSON.stringify(key)} of a secret`);
  }
  const { id = '', src = '', env = '' } = found;
  return type === 'env' && env === '' ? secretEntry({ id, env: src, src: '' }) : secretEntry({ id, src, env });
}

function secretEntry(parts: { readonly id: string; readonly src: string; readonly env: string }): Entry {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== ''));
}

/** `disabled=1` is `disabled=true`; what is not disabled does not say so. */
function disabledEntry(entry: Entry): Entry {
  const { disabled, ...others } = entry;
  if (disabled === undefined) return entry;
  return parseBool(disabled) ? { ...others, disabled: 'true' } : others;
}

/** @throws FunctionFailure */
export function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw new FunctionFailure(`${JSON.stringify(text)} is neither true nor false`);
}

/** `default`, or `id=path,path` */
export function parseSsh(text: string): SshEntry {
  const equals = text.indexOf('=');
  return equals < 0 ? { id: text, paths: [] } : { id: text.slice(0, equals), paths: text.slice(equals + 1).split(',') };
}
