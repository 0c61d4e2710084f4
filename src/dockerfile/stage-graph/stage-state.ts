import { historyByLayer, type ImageConfig, normalizePlatform, type Platform, type RunConfig } from '../../oci/index.ts';
import type { DraftHistoryItem, StepId } from '../graph.ts';
import { cut } from '../text.ts';
import { listEntry, mapEntry } from './budget.ts';

/** A config while instructions change it; lists are those of its stage alone. */
export interface ConfigDraft extends Omit<{ -readonly [Key in keyof RunConfig]: RunConfig[Key] }, 'Env' | 'OnBuild'> {
  Env?: string[];
  OnBuild?: string[];
}

/** A stage as far as its instructions have been carried out. */
export interface StageState {
  /** The step whose tree the next one changes; undefined for an empty tree. */
  tip: StepId | undefined;
  platform: Platform;
  author: string | undefined;
  /** Without labels, of which there may be many. */
  readonly config: ConfigDraft;
  readonly labels: Map<string, string>;
  /** Where each variable stands in the config's Env. */
  readonly envPlaces: Map<string, number>;
  /** Of the config, where instructions add to it: a list that is sorted each time takes the square of its length. */
  readonly ports: Set<string>;
  readonly volumes: Set<string>;
  readonly history: DraftHistoryItem[];
  /** ENV and ARG: what expansion and RUN see. */
  readonly env: Map<string, string>;
  /** ARGs declared up to here, the base stage's first, as history shows them before RUN. */
  readonly args: Map<string, string | undefined>;
  /** Whether CMD was given in this very stage, which ENTRYPOINT then leaves alone. */
  commandSet: boolean;
  /** Whether the stage goes back to a FROM with `--platform`. */
  platformFixed: boolean;
  /** Whether all variables that the base may set are known. */
  envKnown: boolean;
  /** Whether a WORKDIR was given in this file. */
  workdirSet: boolean;
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A stage that begins with nothing. */
export function emptyState(platform: Platform): StageState {
  return withPath(blankState(platform));
}

function blankState(platform: Platform): StageState {
  return {
    tip: undefined,
    platform,
    author: undefined,
    config: { WorkingDir: platform.os === 'windows' ? '\\' : '/' },
    labels: new Map(),
    envPlaces: new Map(),
    ports: new Set(),
    volumes: new Set(),
    history: [],
    env: new Map(),
    args: new Map(),
    commandSet: false,
    platformFixed: false,
    envKnown: true,
    workdirSet: false,
  };
}

/** A stage that begins with an image; its triggers have become instructions. */
export function imageState(image: ImageConfig, tip: StepId | undefined): StageState {
  const { OnBuild: _, Labels = {}, ...config } = image.config;
  const { Env, ExposedPorts, Volumes } = config;
  return withPath({
    ...blankState(normalizePlatform(image.platform)),
    tip,
    author: image.author,
    config: { ...config, ...(Env === undefined ? {} : { Env: [...Env] }) } as ConfigDraft,
    labels: new Map(Object.entries(Labels)),
    ports: new Set(ExposedPorts),
    volumes: new Set(Volumes),
    history: inheritedHistory(image),
  });
}

/** A stage that begins with another one. */
export function derivedState(base: StageState): StageState {
  const { OnBuild: _, ...config } = base.config;
  return {
    ...base,
    config: { ...config, ...(config.Env === undefined ? {} : { Env: [...config.Env] }) },
    labels: new Map(base.labels),
    envPlaces: new Map(base.envPlaces),
    ports: new Set(base.ports),
    volumes: new Set(base.volumes),
    history: [...base.history],
    env: new Map(base.env),
    args: new Map(base.args),
    commandSet: false,
  };
}

/** What a stage that begins with another one takes over, in bytes. */
export function inheritedSize({ labels, envPlaces, ports, volumes, history, env, args }: StageState): number {
  const entries = labels.size + envPlaces.size + ports.size + volumes.size + env.size + args.size;
  return entries * mapEntry + history.length * listEntry;
}

/** Sets a variable of the image: in the place of the one of its name, else at the end. */
export function setEnv({ config, envPlaces }: StageState, name: string, value: string): void {
  config.Env ??= [];
  const place = envPlaces.get(name) ?? config.Env.length;
  config.Env[place] = `${name}=${value}`;
  envPlaces.set(name, place);
}

/** Whether an image is an empty tree: no layers, and no history that says otherwise (schema 1 knew no diffIDs). */
export function isEmptyImage(image: ImageConfig): boolean {
  return image.diffIds.length === 0 && image.history.every((item) => item.emptyLayer === true);
}

/** PATH is always set, but for Windows. */
function withPath(state: StageState): StageState {
  const { config, env, envPlaces } = state;
  const hasPath = config.Env?.some((entry) => entry.startsWith('PATH=')) === true;
  if (!hasPath && state.platform.os !== 'windows') config.Env = [...(config.Env ?? []), `PATH=${defaultPath}`];
  for (const [place, entry] of (config.Env ?? []).entries()) {
    const [name, value] = cut(entry, '=') ?? [entry, ''];
    env.set(name, value);
    if (!envPlaces.has(name)) envPlaces.set(name, place);
  }
  return state;
}

/** The base's history, made to agree with its layers: items and layers are counted against each other by every reader. */
function inheritedHistory(image: ImageConfig): DraftHistoryItem[] {
  const items = image.history.map((item) => ({ ...item, inherited: true }));
  if (historyByLayer(image).every((item) => item !== undefined)) return items;
  const layers = image.diffIds.map(() => ({
    comment: 'layer of the base, whose history is not known',
    inherited: true,
  }));
  return [...items.map((item) => ({ ...item, emptyLayer: true })), ...layers];
}

export function workdirOf({ config, platform }: StageState): string {
  const { WorkingDir: written = '' } = config;
  // What Windows writes with backslashes is a path of a tree like any other here.
  const path = platform.os === 'windows' ? written.replaceAll('\\', '/') : written;
  return path.startsWith('/') ? path : `/${path}`;
}

/** argv of a command line in shell form. */
export function withShell(state: StageState, line: string): string[] {
  const { Shell: shell = [] } = state.config;
  if (shell.length > 0) return [...shell, line];
  return state.platform.os === 'windows' ? ['cmd', '/S', '/C', line] : ['/bin/sh', '-c', line];
}

export interface Commit {
  readonly createdBy: string;
  /** The step that made a layer; undefined for what only changes the config. */
  readonly step?: StepId | undefined;
}

/** Writes an instruction into the history, as BuildKit words it. */
export function commit(state: StageState, { createdBy, step }: Commit): void {
  const item = { createdBy: createdBy.toWellFormed(), comment: 'buildkit.dockerfile.v0' };
  state.history.push(step === undefined ? { ...item, emptyLayer: true } : { ...item, step });
  if (step !== undefined) state.tip = step;
}
