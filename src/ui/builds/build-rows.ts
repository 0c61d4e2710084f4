import { type BuildRecord, type BuildState, buildStateOf } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
import { familiarName, isReference, parseReference } from '../../oci/index.ts';
import type { Row } from '../list.ts';
import { formatElapsed, timeAgo } from '../time.ts';

/** Columns of `builds ls`, in buildx's words. */
export const buildHeads = {
  ID: 'BUILD ID',
  Name: 'NAME',
  Status: 'STATUS',
  CreatedAt: 'CREATED AT',
  Duration: 'DURATION',
  Steps: 'STEPS',
  Cached: 'CACHED',
  Image: 'IMAGE ID',
};

export const buildColumns = ['ID', 'Name', 'Status', 'CreatedAt', 'Duration'];

const statusWords: Readonly<Record<BuildState, string>> = {
  running: 'Running',
  done: 'Completed',
  failed: 'Error',
  cancelled: 'Canceled',
  interrupted: 'Interrupted',
};

export function buildRow(record: BuildRecord, now: number = Date.now()): Row {
  return {
    ID: record.id,
    Name: buildName(record),
    Status: statusWords[buildStateOf(record)],
    CreatedAt: timeAgo(new Date(record.started), new Date(now)),
    Duration: buildStateOf(record) === 'interrupted' ? '' : formatElapsed((record.ended ?? now) - record.started),
    Steps: String(record.steps.length),
    Cached: String(record.steps.filter(({ outcome }) => outcome === 'cached').length),
    Image: record.imageId ?? '',
  };
}

/** What people call a build: its first name, else the folder or address it is of; with the stage that was asked for. */
export function buildName({ names, request }: BuildRecord): string {
  const { context, target, tags } = request;
  const stored = names?.[0];
  const name =
    (stored === undefined ? undefined : familiar(stored)) ??
    tags[0] ??
    context.replace(/\/+$/, '').split('/').at(-1) ??
    context;
  return target === undefined ? name : `${name} (${target})`;
}

function familiar(name: string): string {
  return isReference(name) ? familiarName(parseReference(name)) : name;
}

/**
 * What `--filter` asks for: `status=completed|error|canceled|running|interrupted`, `name=PART`. Values of one key are alternatives.
 * @throws UsageError
 */
export function buildFilter(filters: readonly string[]): (record: BuildRecord) => boolean {
  const wanted = { status: new Set<string>(), name: [] as string[] };
  for (const filter of filters) {
    const [key, value] = split(filter);
    if (key === 'status') wanted.status.add(stateNamed(value));
    else if (key === 'name') wanted.name.push(value);
    else throw new UsageError(`invalid filter '${filter}'`, { hint: 'Filters are status=… and name=….' });
  }
  return (record) =>
    (wanted.status.size === 0 || wanted.status.has(buildStateOf(record))) &&
    (wanted.name.length === 0 || wanted.name.some((part) => buildName(record).includes(part)));
}

function split(filter: string): [key: string, value: string] {
  const at = filter.indexOf('=');
  return at < 0 ? [filter, ''] : [filter.slice(0, at), filter.slice(at + 1)];
}

/** @throws UsageError */
function stateNamed(word: string): string {
  const found = Object.entries(statusWords).find(
    ([state, shown]) => state === word || shown.toLowerCase() === word.toLowerCase(),
  );
  if (found !== undefined) return found[0];
  const words = Object.values(statusWords).map((each) => each.toLowerCase());
  throw new UsageError(`invalid status '${word}'`, { hint: `A status is one of ${words.join(', ')}.` });
}
