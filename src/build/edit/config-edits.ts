import { compact, type Platform, type RunConfig } from '../../oci/index.ts';
import { timeOf } from '../plan/epoch-time.ts';
import { editConfig, type ImageEdit } from './edit.ts';

/** What of an image's config is set; an empty text or list takes the member away. */
export interface ConfigChanges {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly labelsRemoved?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly envRemoved?: readonly string[] | undefined;
  /** Takes the command away too, as docker has it, unless one is given. */
  readonly entrypoint?: readonly string[] | undefined;
  readonly cmd?: readonly string[] | undefined;
  readonly user?: string | undefined;
  readonly workdir?: string | undefined;
  /** Such as `80` or `53/udp`; they come to those that are there. */
  readonly exposedPorts?: readonly string[] | undefined;
  readonly exposedPortsRemoved?: readonly string[] | undefined;
  readonly volumes?: readonly string[] | undefined;
  readonly volumesRemoved?: readonly string[] | undefined;
  readonly platform?: Platform | undefined;
  /** Seconds since 1970. */
  readonly created?: number | undefined;
}

/** Sets parts of the config; everything else of it stays. */
export function setConfig(changes: ConfigChanges): ImageEdit {
  return editConfig((before) => {
    const { platform = before.platform, created } = changes;
    const config = runConfig(before.config, changes);
    return { ...before, platform, config, ...(created !== undefined && { created: timeOf(created) }) };
  });
}

function runConfig(before: RunConfig, changes: ConfigChanges): RunConfig {
  const { labels, labelsRemoved, entrypoint, user, workdir } = changes;
  const after: { -readonly [Name in keyof RunConfig]: RunConfig[Name] | undefined } = { ...before };
  if (labels ?? labelsRemoved) after.Labels = filled(withoutNames({ ...before.Labels, ...labels }, labelsRemoved));
  if (changes.env ?? changes.envRemoved) after.Env = listed(environment(before.Env ?? [], changes));
  if (entrypoint !== undefined) after.Entrypoint = listed(entrypoint);
  if (changes.cmd ?? entrypoint) after.Cmd = listed(changes.cmd ?? []);
  if (user !== undefined) after.User = user || undefined;
  if (workdir !== undefined) after.WorkingDir = workdir || undefined;
  const { exposedPorts, exposedPortsRemoved, volumes, volumesRemoved } = changes;
  if (exposedPorts ?? exposedPortsRemoved)
    after.ExposedPorts = names(before.ExposedPorts, exposedPorts?.map(portName), exposedPortsRemoved?.map(portName));
  if (volumes ?? volumesRemoved) after.Volumes = names(before.Volumes, volumes, volumesRemoved);
  return compact<RunConfig>(after as { readonly [Name in keyof RunConfig]: RunConfig[Name] | undefined });
}

/** A variable keeps its place; new ones come last, in their order. */
function environment(before: readonly string[], { env = {}, envRemoved = [] }: ConfigChanges): readonly string[] {
  const removed = new Set(envRemoved);
  const nameOf = (line: string): string => line.split('=', 1)[0] ?? '';
  const known = new Set(before.map(nameOf));
  const kept = before
    .filter((line) => !removed.has(nameOf(line)))
    .map((line) => (Object.hasOwn(env, nameOf(line)) ? `${nameOf(line)}=${env[nameOf(line)]}` : line));
  const added = Object.entries(env).filter(([name]) => !known.has(name) || removed.has(name));
  return [...kept, ...added.map(([name, value]) => `${name}=${value}`)];
}

function names(
  before: readonly string[] | undefined,
  added: readonly string[] = [],
  removed: readonly string[] = [],
): readonly string[] | undefined {
  const all = new Set([...(before ?? []), ...added]);
  for (const name of removed) all.delete(name);
  return listed([...all].toSorted());
}

function portName(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`;
}

function withoutNames(map: Readonly<Record<string, string>>, removed: readonly string[] = []) {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !removed.includes(name)));
}

function filled(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  return Object.keys(map).length === 0 ? undefined : map;
}

function listed(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}
