import {
  type Definition,
  type Entry,
  fieldNames,
  fields,
  type FieldName,
  type Group,
  type SshEntry,
  type Target,
} from './target.ts';
import type { Selection } from './select.ts';

/** What `--print` shows: a definition in JSON that means the same and needs no evaluation. */
export function printable({ groups, targets }: Selection): unknown {
  const named = (all: ReadonlyMap<string, unknown>): unknown =>
    Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  const shownGroups = new Map([...groups].map(([name, group]) => [name, printGroup(group)]));
  const shownTargets = new Map([...targets].map(([name, target]) => [name, printTarget(target)]));
  return { ...(groups.size === 0 ? {} : { group: named(shownGroups) }), target: named(shownTargets) };
}

function printGroup({ description = '', targets }: Group): unknown {
  return { ...(description === '' ? {} : { description }), targets };
}

/** A target as `--print` shows it: docker's names of fields, what is empty left out. */
export function printTarget(target: Target): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const name of fieldNames) {
    const value = target[name];
    if (value === undefined || (name === 'description' && value === '')) continue;
    if (typeof value === 'object' && Object.keys(value).length === 0) continue;
    shown[name] = printField(name, value);
  }
  return shown;
}

/** Texts that are templates in a definition are written so that they are worth themselves. */
const templates = new Set<FieldName>(['annotations', 'dockerfile-inline', 'labels', 'args', 'extra-hosts']);

function printField(name: FieldName, value: NonNullable<Target[FieldName]>): unknown {
  const text = (each: string): string =>
    templates.has(name) ? each.replaceAll('${', () => '$${').replaceAll('%{', '%%{') : each;
  if (typeof value === 'string') return text(value);
  if (typeof value === 'boolean') return value;
  const { kind } = fields[name];
  if (kind === 'texts') return (value as readonly string[]).map(text);
  if (kind === 'ssh') return (value as readonly SshEntry[]).map(printSsh);
  if (kind === 'entries')
    return (value as readonly Entry[]).map((entry) => (name === 'secret' ? entry : printEntry(entry)));
  const sorted = Object.entries(value as Entry).sort(([a], [b]) => (a < b ? -1 : 1));
  const numbers = name === 'resources' ? ['cpu-shares', 'cpu-period', 'cpu-quota'] : [];
  return Object.fromEntries(sorted.map(([key, each]) => [key, numbers.includes(key) ? Number(each) : text(each)]));
}

function printSsh({ id, paths }: SshEntry): unknown {
  return { ...(id === '' ? {} : { id }), ...(paths.length === 0 ? {} : { paths }) };
}

function printEntry(entry: Entry): unknown {
  const sorted = Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, value]) => [key, key === 'disabled' ? value === 'true' : value]));
}

/** A line of `--list=targets`. */
export interface ListedTarget {
  readonly name: string;
  readonly description?: string;
  readonly group?: true;
}

/** `--list=targets`: those with an underscore at the beginning are nobody's business. */
export function listTargets({ groups, targets }: Definition): ListedTarget[] {
  const ofTargets = targets.map(({ name, description = '' }) => listed(name, description));
  const ofGroups = groups.map(({ name, description = '', targets: members }) => {
    const names = members.toSorted().join(', ');
    const text = description === '' || names === '' ? `${description}${names}` : `${description} (${names})`;
    return { ...listed(name, text), group: true } as const;
  });
  return [...ofTargets, ...ofGroups]
    .filter(({ name }) => !name.startsWith('_'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function listed(name: string, description: string): ListedTarget {
  return { name, ...(description === '' ? {} : { description }) };
}
