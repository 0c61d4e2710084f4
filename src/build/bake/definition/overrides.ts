import { BuildError } from '../../error.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import { type EntryField, parseBool, parseEntries, parseSsh } from './entries.ts';
import { matchesPattern } from './pattern.ts';
import { type Entry, type FieldValue, type Target } from './target.ts';

/** What one or several `--set` say for one attribute of a target, or for one key of it. */
export interface Override {
  readonly values: readonly string[];
  readonly append: boolean;
}

/** By target, then by attribute (`tags`, `args.VERSION`). */
export type Overrides = ReadonlyMap<string, ReadonlyMap<string, Override>>;

const lists = new Set([
  'output',
  'cache-to',
  'cache-from',
  'tags',
  'platform',
  'secrets',
  'ssh',
  'attest',
  'entitlements',
  'annotations',
  'policy',
  'no-cache-filter',
  'ulimits',
]);
const keyed = new Set(['args', 'contexts', 'labels', 'extra-hosts', 'resources', 'secret']);
const single = new Set([
  'context',
  'dockerfile',
  'target',
  'call',
  'no-cache',
  'shm-size',
  'network',
  'pull',
  'push',
  'load',
]);

/**
 * Reads `--set pattern.key[.subkey][+]=value`.
 * @param lookup where an argument without a value takes it from
 * @throws BuildError BAKE_INVALID
 */
export function parseOverrides(
  texts: readonly string[],
  targets: readonly Target[],
  lookup: (name: string) => string | undefined,
): Overrides {
  const found = new Map<string, Map<string, Override>>();
  for (const text of texts) {
    const { pattern, key, append, value } = splitOverride(text);
    const given = value ?? (key.startsWith('args.') ? lookup(key.slice(5)) : undefined);
    if (given === undefined) {
      if (key.startsWith('args.')) continue;
      throw invalid(text, 'expected target.name=value');
    }
    for (const name of targetsFor(text, pattern, targets)) {
      const ofTarget = found.get(name) ?? new Map<string, Override>();
      const before = lists.has(key) ? (ofTarget.get(key)?.values ?? []) : [];
      ofTarget.set(key, { values: [...before, given], append });
      found.set(name, ofTarget);
    }
  }
  return found;
}

function splitOverride(text: string): { pattern: string; key: string; append: boolean; value: string | undefined } {
  const equals = text.indexOf('=');
  const left = equals < 0 ? text : text.slice(0, equals);
  const append = left.endsWith('+');
  const [pattern = '', field, ...rest] = (append ? left.slice(0, -1) : left).split('.');
  const subkey = rest.join('.');
  if (field === undefined) throw invalid(text, 'expected target.name=value');
  if (keyed.has(field) && subkey === '') throw invalid(text, `${field} requires name`);
  if (append && keyed.has(field)) throw invalid(text, `${field} does not support append`);
  if (!keyed.has(field) && !lists.has(field) && !single.has(field))
    throw invalid(text, `unknown key ${JSON.stringify(field)}`, hintFor(field));
  return {
    pattern,
    key: keyed.has(field) ? `${field}.${subkey}` : field,
    append,
    value: equals < 0 ? undefined : text.slice(equals + 1),
  };
}

function hintFor(field: string): string {
  const similar: Readonly<Record<string, string>> = {
    platforms: 'platform',
    tag: 'tags',
    arg: 'args',
    label: 'labels',
  };
  const meant = similar[field];
  return meant === undefined
    ? `keys are ${[...lists, ...keyed, ...single].sort().join(', ')}`
    : `did you mean ${meant}?`;
}

function targetsFor(text: string, pattern: string, targets: readonly Target[]): string[] {
  const names = targets.map(({ name }) => name);
  if (names.includes(pattern)) return [pattern];
  const matching = names.filter((name) => matchesPattern(pattern, name));
  if (matching.length === 0) throw invalid(text, `could not find any target matching '${pattern}'`);
  return matching;
}

function invalid(text: string, why: string, hint?: string): BuildError {
  return new BuildError('BAKE_INVALID', `invalid override ${JSON.stringify(text)}: ${why}`, { exitCode: 125, hint });
}

/** @throws BuildError BAKE_INVALID */
export function applyOverrides(target: Target, overrides: ReadonlyMap<string, Override> | undefined): Target {
  if (overrides === undefined) return target;
  let result = target;
  // Whether to push is decided by the outputs, so it comes after them.
  const order = [...overrides].sort(([a], [b]) => rank(a) - rank(b));
  for (const [key, override] of order) {
    try {
      result = applyOne(result, key, override);
    } catch (error) {
      if (!(error instanceof FunctionFailure)) throw error;
      throw invalid(`${target.name}.${key}=${override.values.join(',')}`, error.message);
    }
  }
  return result;
}

function rank(key: string): number {
  return key === 'load' ? 2 : key === 'push' ? 1 : 0;
}

/** Fields whose values are always added. */
const growing: ReadonlySet<string> = new Set(['annotations', 'entitlements', 'attest']);

function applyOne(target: Target, key: string, override: Override): Target {
  const [field = '', ...rest] = key.split('.');
  return listOverride(target, field, override) ?? valueOverride(target, { field, sub: rest.join('.') }, override);
}

/** Fields that grow with `+=`, some of them always; undefined for others. */
function listOverride(target: Target, field: string, { values, append }: Override): Target | undefined {
  const added = <T extends FieldValue>(before: readonly unknown[] | undefined, next: readonly unknown[]): T =>
    (append || growing.has(field) ? [...(before ?? []), ...next] : next) as T;
  const entries = (of: EntryField): readonly Entry[] => values.flatMap((each) => parseEntries(of, each));
  switch (field) {
    case 'platform':
      return { ...target, platforms: added(target.platforms, values) };
    case 'tags':
    case 'no-cache-filter':
    case 'ulimits':
    case 'annotations':
    case 'entitlements':
      return { ...target, [field]: added(target[field], values) };
    case 'output':
    case 'cache-from':
    case 'cache-to':
    case 'policy':
    case 'attest':
      return { ...target, [field]: added(target[field], entries(field)) };
    case 'secrets':
      return { ...target, secret: added(target.secret, entries('secret')) };
    case 'ssh':
      return { ...target, ssh: added(target.ssh, values.filter((each) => each !== '').map(parseSsh)) };
  }
  return undefined;
}

/** Fields of which the last value counts. */
function valueOverride(
  target: Target,
  { field, sub }: { readonly field: string; readonly sub: string },
  { values }: Override,
): Target {
  const value = values.at(-1) ?? '';
  switch (field) {
    case 'secret':
      return { ...target, secret: replaceSecret(target.secret ?? [], sub, value) };
    case 'args':
    case 'contexts':
    case 'labels':
    case 'extra-hosts':
    case 'resources':
      return { ...target, [field]: { ...target[field], [sub]: value } };
    case 'no-cache':
    case 'pull':
      return { ...target, [field]: parseBool(value) };
    case 'push':
      return { ...target, output: withPush(target.output ?? [], parseBool(value)) };
    case 'load':
      return parseBool(value) ? { ...target, output: withLoad(target.output ?? []) } : target;
    default:
      return { ...target, [field]: value };
  }
}

function replaceSecret(secrets: readonly Entry[], id: string, text: string): readonly Entry[] {
  if (!secrets.some((each) => each['id'] === id))
    throw new FunctionFailure(`secret ${JSON.stringify(id)} must be declared before it can be overridden`);
  const [next = {}] = parseEntries('secret', text);
  if (next['id'] !== undefined && next['id'] !== id)
    throw new FunctionFailure(`the id of the secret is ${JSON.stringify(id)}`);
  return secrets.map((each) => (each['id'] === id ? { id, ...next } : each));
}

/** `--push` makes images be pushed, and adds an output that does where there is none but for docker. */
function withPush(outputs: readonly Entry[], push: boolean): readonly Entry[] {
  if (!push)
    return withoutRegistry(outputs).map((output) =>
      output['type'] === 'image' ? { ...output, push: 'false' } : output,
    );
  const pushed = outputs.map((output) => (output['type'] === 'image' ? { ...output, push: 'true' } : output));
  return outputs.every(({ type }) => type === 'docker') ? [...pushed, { type: 'image', push: 'true' }] : pushed;
}

/** In the order that buildx leaves them in: the last takes the place of one that goes. */
function withoutRegistry(outputs: readonly Entry[]): readonly Entry[] {
  const kept = [...outputs];
  for (let at = 0; at < kept.length; ) {
    if (kept[at]?.['type'] !== 'registry') {
      at += 1;
      continue;
    }
    const last = kept.pop();
    if (at < kept.length && last !== undefined) kept[at] = last;
  }
  return kept;
}

function withLoad(outputs: readonly Entry[]): readonly Entry[] {
  if (outputs.some((output) => output['type'] === 'docker' && output['dest'] === undefined)) return outputs;
  const images = ['docker', 'image', 'registry', 'oci'];
  return outputs.every(({ type }) => images.includes(type ?? '')) ? [...outputs, { type: 'docker' }] : outputs;
}
