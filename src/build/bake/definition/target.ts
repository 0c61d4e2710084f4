/** `type=…` and what belongs to it: an output, a cache, an attestation, a secret (`id`, `src`, `env`). */
export type Entry = Readonly<Record<string, string>>;

/** Keys or agents under one id. */
export interface SshEntry {
  readonly id: string;
  readonly paths: readonly string[];
}

interface Kinds {
  readonly text: string;
  readonly flag: boolean;
  readonly texts: readonly string[];
  readonly map: Readonly<Record<string, string>>;
  readonly entries: readonly Entry[];
  readonly ssh: readonly SshEntry[];
}

/**
 * Every attribute of a target, in the order in which they are printed. `merge` says what a later definition of it (another file,
 * a target that inherits) does to an earlier one.
 */
export const fields = {
  description: { kind: 'text', merge: 'replace' },
  inherits: { kind: 'texts', merge: 'append' },
  annotations: { kind: 'texts', merge: 'append' },
  attest: { kind: 'entries', merge: 'append' },
  context: { kind: 'text', merge: 'replace' },
  contexts: { kind: 'map', merge: 'keys' },
  dockerfile: { kind: 'text', merge: 'replace' },
  'dockerfile-inline': { kind: 'text', merge: 'replace' },
  args: { kind: 'map', merge: 'keys' },
  labels: { kind: 'map', merge: 'keys' },
  tags: { kind: 'texts', merge: 'replace' },
  'cache-from': { kind: 'entries', merge: 'append' },
  'cache-to': { kind: 'entries', merge: 'replace' },
  target: { kind: 'text', merge: 'replace' },
  secret: { kind: 'entries', merge: 'append' },
  ssh: { kind: 'ssh', merge: 'append' },
  platforms: { kind: 'texts', merge: 'replace' },
  output: { kind: 'entries', merge: 'replace' },
  pull: { kind: 'flag', merge: 'replace' },
  'no-cache': { kind: 'flag', merge: 'replace' },
  network: { kind: 'text', merge: 'replace' },
  'no-cache-filter': { kind: 'texts', merge: 'append' },
  'shm-size': { kind: 'text', merge: 'replace' },
  ulimits: { kind: 'texts', merge: 'append' },
  resources: { kind: 'map', merge: 'keys' },
  call: { kind: 'text', merge: 'replace' },
  entitlements: { kind: 'texts', merge: 'append' },
  'extra-hosts': { kind: 'map', merge: 'keys' },
  policy: { kind: 'entries', merge: 'append' },
} as const satisfies Readonly<Record<string, { kind: keyof Kinds; merge: 'replace' | 'append' | 'keys' }>>;

/** A field of a target, by its name in JSON. */
export type FieldName = keyof typeof fields;
/** What a field of a target may be. */
export type FieldValue = Kinds[keyof Kinds];

/** What is to be built, by the names of the definition's attributes. What is absent was not said; an empty list was. */
export type Target = { readonly name: string } & {
  readonly [F in FieldName]?: Kinds[(typeof fields)[F]['kind']] | undefined;
};

/** Targets, and other groups, under one name. */
export interface Group {
  readonly name: string;
  readonly description?: string | undefined;
  readonly targets: readonly string[];
}

/** A variable of a definition, as `--list=variables` shows it. */
export interface VariableInfo {
  readonly name: string;
  readonly description?: string | undefined;
  readonly type?: string | undefined;
  /** As text; JSON for what is not plain. Undefined for null. */
  readonly value?: string | undefined;
}

/** What all files say together, before anything is chosen of it. */
export interface Definition {
  readonly groups: readonly Group[];
  readonly targets: readonly Target[];
  readonly variables: readonly VariableInfo[];
  /** What was read and means nothing. */
  readonly warnings: readonly string[];
}

export const fieldNames = Object.keys(fields) as readonly FieldName[];

export function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(fields, name);
}

/** What `later` adds to a target, or takes the place of. */
export function mergeTargets(earlier: Target, later: Target): Target {
  const merged: Record<string, FieldValue | undefined> = {};
  for (const name of fieldNames) {
    const value = mergeField(name, earlier[name], later[name]);
    if (value !== undefined) merged[name] = value;
  }
  return { ...merged, name: earlier.name } as Target;
}

function mergeField(
  name: FieldName,
  earlier: FieldValue | undefined,
  later: FieldValue | undefined,
): FieldValue | undefined {
  if (later === undefined || (name === 'description' && later === '')) return earlier;
  const { merge } = fields[name];
  if (earlier === undefined || merge === 'replace') return merge === 'append' ? withoutRepeats(name, later) : later;
  if (merge === 'keys') return { ...(earlier as Kinds['map']), ...(later as Kinds['map']) };
  return withoutRepeats(name, [...(earlier as readonly unknown[]), ...(later as readonly unknown[])] as FieldValue);
}

/** A target as it is built: nothing twice, nothing empty. */
export function normalizeTarget(target: Target): Target {
  const entitlements = [...(target.entitlements ?? []), ...(target.network === 'host' ? ['network.host'] : [])];
  const contexts = Object.entries(target.contexts ?? {}).filter(([, value]) => value !== '');
  const changed: Record<string, FieldValue | undefined> = {
    ...target,
    entitlements: entitlements.length === 0 ? undefined : entitlements,
    contexts: contexts.length === 0 ? undefined : Object.fromEntries(contexts),
  };
  for (const name of fieldNames) {
    const value = changed[name];
    if (value === undefined) continue;
    const { kind } = fields[name];
    if (kind === 'texts' && name !== 'inherits') changed[name] = unique(value as readonly string[]);
    if (kind === 'entries' || kind === 'ssh') changed[name] = withoutRepeats(name, value);
  }
  return { ...changed, name: target.name } as Target;
}

export function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter((text) => text !== '');
}

/** Secrets and ssh have one entry an id, attestations one a type: the last one, at the first one's place. */
const identity: Partial<Record<FieldName, string>> = { secret: 'id', ssh: 'id', attest: 'type' };

function withoutRepeats(name: FieldName, value: FieldValue): FieldValue {
  if (fields[name].kind !== 'entries' && fields[name].kind !== 'ssh') return value;
  const entries = value as readonly Record<string, unknown>[];
  const key = identity[name];
  if (key !== undefined) return [...new Map(entries.map((entry) => [entry[key] ?? '', entry])).values()] as FieldValue;
  return name === 'policy' ? value : (dropRepeats(entries as readonly Entry[]) as FieldValue);
}

/** In the order that buildx leaves them in: what repeats an earlier one gives its place to the last. */
function dropRepeats(entries: readonly Entry[]): readonly Entry[] {
  const kept = [...entries];
  for (let at = kept.length - 2; at >= 0; at--) {
    const entry = kept[at];
    const repeat = kept.findIndex((other, index) => index > at && entry !== undefined && sameEntry(entry, other));
    if (repeat < 0) continue;
    const last = kept.pop();
    if (repeat < kept.length && last !== undefined) kept[repeat] = last;
  }
  return kept;
}

function sameEntry(a: Entry, b: Entry): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
