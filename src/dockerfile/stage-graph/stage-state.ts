import { historyByLayer, type ImageConfig, normalizePlatform, type Platform, type RunConfig } from '../../oci/index.ts';
import type { DraftHistoryItem, StepId } from '../graph.ts';

/** A config while instructions change it. */
export type ConfigDraft = { -readonly [Key in keyof RunConfig]: RunConfig[Key] };

/** A stage as far as its instructions have been carried out. */
export interface StageState {
  /** The step whose tree the next one changes; undefined for an empty tree. */
  tip: StepId | undefined;
  platform: Platform;
  author: string | undefined;
  /** Without labels, of which there may be many. */
  readonly config: ConfigDraft;
  readonly labels: Map<string, string>;
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
  return withPath({
    tip: undefined,
    platform,
    author: undefined,
    config: { WorkingDir: '/' },
    labels: new Map(),
    history: [],
    env: new Map(),
    args: new Map(),
    commandSet: false,
    platformFixed: false,
    envKnown: true,
    workdirSet: false,
  });
}

/** A stage that begins with an image; its triggers have become instructions. */
export function imageState(image: ImageConfig, tip: StepId | undefined): StageState {
  const { OnBuild: _, Labels = {}, ...config } = image.config;
  return withPath({
    tip,
    platform: normalizePlatform(image.platform),
    author: image.author,
    config,
    labels: new Map(Object.entries(Labels)),
    history: inheritedHistory(image),
    env: new Map(),
    args: new Map(),
    commandSet: false,
    platformFixed: false,
    envKnown: true,
    workdirSet: false,
  });
}

/** A stage that begins with another one. */
export function derivedState(base: StageState): StageState {
  const { OnBuild: _, ...config } = base.config;
  return {
    ...base,
    config,
    labels: new Map(base.labels),
    history: [...base.history],
    env: new Map(base.env),
    args: new Map(base.args),
    commandSet: false,
  };
}

/** Whether an image is an empty tree: no layers, and no history that says otherwise (schema 1 knew no diffIDs). */
export function isEmptyImage(image: ImageConfig): boolean {
  return image.diffIds.length === 0 && image.history.every((item) => item.emptyLayer === true);
}

/** PATH is always set, but for Windows. */
function withPath(state: StageState): StageState {
  const env = state.config.Env ?? [];
  if (!env.some((entry) => entry.startsWith('PATH=')) && state.platform.os !== 'windows') {
    state.config.Env = [...env, `PATH=${defaultPath}`];
  }
  for (const entry of state.config.Env ?? []) {
    const equals = entry.indexOf('=');
    if (equals < 0) state.env.set(entry, '');
    else state.env.set(entry.slice(0, equals), entry.slice(equals + 1));
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

export function workdirOf({ config }: StageState): string {
  const { WorkingDir: path = '' } = config;
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
