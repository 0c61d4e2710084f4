import { messageOf, UsageError } from '../../errors.ts';
import { csvFields } from '../csv.ts';

/** `--secret`: an id, and where its value comes from. The value itself is read when a step first asks for it. */
export interface SecretRequest {
  readonly id: string;
  readonly source: SecretSource;
}

/** Where the value of a secret comes from. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  /** A variable of the environment that slipway was started in. */
  | { readonly kind: 'env'; readonly name: string }
  /** A line for `sh -c`; what it writes to standard output is the value. */
  | { readonly kind: 'command'; readonly command: string };

type Draft = { type?: string; id?: string; source?: string; env?: string; command?: string };

const types: readonly string[] = ['file', 'env', 'command'];

/**
 * The meaning of one `--secret`: `id=ID[,src=FILE|,env=NAME]` as buildx reads it, or `id=ID,type=command,command=LINE`. Where only an
 * id is given, it names a variable of `environment`, else a file. Fields with commas are quoted as in CSV.
 * @throws UsageError
 */
export function parseSecret(text: string, environment: NodeJS.ProcessEnv): SecretRequest {
  const draft = readFields(text);
  const { id } = draft;
  if (id === undefined || id === '') throw invalid(text, 'id= is missing');
  return { id, source: sourceOf(draft, id, { text, environment }) };
}

function readFields(text: string): Draft {
  const draft: Draft = {};
  for (const field of fieldsOf(text)) {
    const equals = field.indexOf('=');
    if (equals < 0) throw invalid(text, `${JSON.stringify(field)} is not key=value`);
    const [key, value] = [field.slice(0, equals).toLowerCase(), field.slice(equals + 1)];
    if (key === 'src' || key === 'source') draft.source = value;
    else if (key === 'id' || key === 'type' || key === 'env' || key === 'command') draft[key] = value;
    else throw invalid(text, `unexpected key ${JSON.stringify(key)}`);
  }
  if (draft.type !== undefined && !types.includes(draft.type)) {
    throw invalid(text, `unsupported secret type ${JSON.stringify(draft.type)}`);
  }
  return draft;
}

function sourceOf(
  { type, source = '', env = '', command = '' }: Draft,
  id: string,
  { text, environment }: { readonly text: string; readonly environment: NodeJS.ProcessEnv },
): SecretSource {
  if ([source, env, command].filter((value) => value !== '').length > 1) {
    throw invalid(text, 'only one of src=, env= and command= can be given');
  }
  if (type === 'command' || command !== '') {
    const line = command === '' ? source : command;
    if (line === '' || (type !== undefined && type !== 'command')) throw invalid(text, 'type=command needs command=');
    return { kind: 'command', command: line };
  }
  if (env !== '') return { kind: 'env', name: env };
  if (type === 'env') return { kind: 'env', name: source === '' ? id : source };
  if (source !== '') return { kind: 'file', path: source };
  return type === undefined && environment[id] !== undefined ? { kind: 'env', name: id } : { kind: 'file', path: id };
}

function fieldsOf(text: string): readonly string[] {
  try {
    return csvFields(text);
  } catch (error) {
    throw invalid(text, messageOf(error));
  }
}

/** What is shown is where a value comes from, never a value. */
function invalid(text: string, why: string): UsageError {
  return new UsageError(`invalid argument ${JSON.stringify(text)} for "--secret" flag: ${why}`);
}
