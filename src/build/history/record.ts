import type { ProcessRecord } from '../../system/index.ts';
import type { MissReason, PlannedStep } from '../events.ts';

/** What is kept of one build: `builds/<id>/record.json` of the store. Times are milliseconds since 1970. */
export interface BuildRecord {
  readonly version: 1;
  /** Twelve characters that sort by time. */
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly started: number;
  readonly ended?: number | undefined;
  /** Who builds, or built. */
  readonly process: ProcessRecord;
  readonly request: RequestSummary;
  readonly imageId?: string | undefined;
  /** Of the manifest or index, where an output needed one. */
  readonly digest?: string | undefined;
  /** Names that the store gave the image. */
  readonly names?: readonly string[] | undefined;
  readonly error?: { readonly code?: string | undefined; readonly message: string } | undefined;
  readonly steps: readonly RecordedStep[];
}

/** What was asked for, without what could be secret. */
export interface RequestSummary {
  readonly context: string;
  readonly dockerfile?: string | undefined;
  readonly target?: string | undefined;
  readonly platforms: readonly string[];
  readonly tags: readonly string[];
  /** Values of those that are called like secrets are masked. */
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly contexts: Readonly<Record<string, string>>;
  readonly outputs: readonly string[];
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly push: boolean;
}

/** A step as the history keeps it; times are milliseconds since 1970. */
export interface RecordedStep {
  readonly id: string;
  readonly title: string;
  readonly kind?: PlannedStep['kind'] | undefined;
  readonly stage?: string | undefined;
  readonly outcome: 'running' | 'done' | 'cached' | 'skipped' | 'cancelled' | 'error';
  readonly started: number;
  readonly ended?: number | undefined;
  /** DiffID of its layer. */
  readonly digest?: string | undefined;
  /** Bytes of its layer. */
  readonly size?: number | undefined;
  /** Milliseconds that the cache spared. */
  readonly saved?: number | undefined;
  readonly reasons?: readonly MissReason[] | undefined;
  readonly error?: string | undefined;
}

/** What a record shows: one that runs, though its process is dead, was interrupted. */
export type BuildState = BuildRecord['state'] | 'interrupted';

const idForm = /^[0-9a-z]{12}$/;

/** Whether a name is an id: no folder but those of builds is ever touched. */
export function isBuildId(name: string): boolean {
  return idForm.test(name);
}

/** Reads a record; undefined for what is none: torn by a power cut, or of a version that is not known. */
export function parseRecord(text: string): BuildRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is BuildRecord {
  if (!isObject(value)) return false;
  const { version, id, state, started, ended, process, request, steps } = value;
  return (
    version === 1 &&
    typeof id === 'string' &&
    isBuildId(id) &&
    (state === 'running' || state === 'done' || state === 'failed' || state === 'cancelled') &&
    typeof started === 'number' &&
    (ended === undefined || typeof ended === 'number') &&
    isObject(process) &&
    typeof process['pid'] === 'number' &&
    isObject(request) &&
    typeof request['context'] === 'string' &&
    Array.isArray(request['tags']) &&
    Array.isArray(steps) &&
    steps.every((step) => isObject(step) && typeof step['title'] === 'string' && typeof step['started'] === 'number')
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
