import { randomBytes } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { isSlipwayError, messageOf } from '../../errors.ts';
import { ownProcessRecord } from '../../system/index.ts';
import type { BuildEvent, PlannedStep } from '../events.ts';
import type { BuildMetadata } from '../outputs/metadata.ts';
import type { BuildRequest } from '../request.ts';
import { BuildHistory } from './history.ts';
import type { BuildRecord, RecordedStep } from './record.ts';
import { redact, Redactor, searchable } from './redactor.ts';
import { summariseRequest } from './summarise-request.ts';

/** What came of a build. */
export interface RecordedResult {
  readonly imageId: string;
  readonly names: readonly string[];
  readonly metadata: BuildMetadata;
}

/**
 * Writes down one build as it goes: a record of what was asked for and what came of it, and all events in a log. A build never
 * fails for it: what goes wrong here ends the recording. Values of secrets are in neither.
 */
export class BuildRecorder {
  readonly id = newId();
  readonly #history: BuildHistory;
  readonly #kept: number;
  readonly #begun: BuildRecord;
  readonly #opening: Promise<void>;
  readonly #planned = new Map<string, PlannedStep>();
  readonly #steps = new Map<string, RecordedStep>();
  readonly #outputs = new Map<string, Redactor>();
  #values: () => readonly Uint8Array[] = () => [];
  #secrets: readonly string[] = [];
  #known = 0;
  /** Lines that came before the log was open. */
  #early: string[] | undefined = [];
  #log: WriteStream | undefined;

  constructor(root: string, request: BuildRequest, kept: number) {
    this.#history = new BuildHistory(root);
    this.#kept = kept;
    this.#begun = {
      version: 1,
      id: this.id,
      state: 'running',
      started: Date.now(),
      process: ownProcessRecord(),
      request: summariseRequest(request),
      steps: [],
    };
    this.#opening = this.#open().catch(() => this.#giveUp());
  }

  /** Names where values come from that must not be written. */
  hide(values: () => readonly Uint8Array[]): void {
    this.#values = values;
  }

  event(event: BuildEvent): void {
    const time = 'time' in event ? event.time : Date.now();
    this.#note(event, time);
    for (const each of this.#safe(event)) this.#write(`${JSON.stringify({ time, ...each })}\n`);
  }

  /** What a step must wait for before it writes much more; undefined where the disk keeps up. */
  drained(): Promise<void> | undefined {
    const log = this.#log;
    if (log === undefined || !log.writableNeedDrain) return undefined;
    return new Promise((resolve) => void log.once('drain', resolve).once('close', resolve));
  }

  /** Completes the record and lets old ones go. False: it could not be written, or nothing is kept. */
  async end(outcome: { readonly result: RecordedResult } | { readonly error: unknown }): Promise<boolean> {
    try {
      await this.#opening;
      this.#log?.end();
      if (this.#log !== undefined) await finished(this.#log).catch(() => undefined); // the record is worth having without it
      await this.#save({
        ...this.#begun,
        ...outcomeOf(outcome, this.#hidden()),
        ended: Date.now(),
        steps: this.#allSteps(),
      });
      await this.#history.prune(this.#kept);
      return this.#log !== undefined;
    } catch {
      this.#giveUp();
      return false;
    }
  }

  async #open(): Promise<void> {
    const folder = this.#history.folderOf(this.id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.#save(this.#begun);
    const log = createWriteStream(join(folder, 'log.jsonl'), { flags: 'wx', mode: 0o600 });
    log.on('error', () => this.#giveUp());
    for (const line of this.#early ?? []) log.write(line);
    this.#early = undefined;
    this.#log = log;
  }

  #giveUp(): void {
    this.#early = undefined;
    this.#log?.destroy();
    this.#log = undefined;
  }

  #write(line: string): void {
    if (this.#early === undefined) this.#log?.write(line);
    else this.#early.push(line);
  }

  async #save(record: BuildRecord): Promise<void> {
    const path = join(this.#history.folderOf(this.id), 'record.json');
    await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  #hidden(): readonly string[] {
    const values = this.#values();
    if (values.length !== this.#known) {
      this.#known = values.length;
      this.#secrets = searchable(values);
    }
    return this.#secrets;
  }

  /** An event without secrets; output that could be the beginning of one comes with what follows it. */
  #safe(event: BuildEvent): readonly BuildEvent[] {
    switch (event.type) {
      case 'step-progress': // thousands of numbers that nobody asks for afterwards
        return [];
      case 'step-log': {
        const data = this.#outputOf(event.id, event.stream).take(event.data);
        return data === '' ? [] : [{ ...event, data }];
      }
      case 'step-done':
      case 'step-cancelled':
        return [...this.#rests(event.id), event];
      case 'step-error':
        return [...this.#rests(event.id), { ...event, message: redact(event.message, this.#hidden()) }];
      case 'note':
      case 'plan':
      case 'step-start':
      case 'step-explained':
        return [event];
    }
  }

  #rests(id: string): BuildEvent[] {
    return (['stdout', 'stderr'] as const).flatMap((stream) => {
      const data = this.#outputs.get(`${stream} ${id}`)?.rest() ?? '';
      return data === '' ? [] : [{ type: 'step-log', id, stream, data }];
    });
  }

  #outputOf(id: string, stream: 'stdout' | 'stderr'): Redactor {
    const key = `${stream} ${id}`;
    const known = this.#outputs.get(key) ?? new Redactor(() => this.#hidden());
    this.#outputs.set(key, known);
    return known;
  }

  #note(event: BuildEvent, time: number): void {
    if (event.type === 'plan') for (const step of event.steps) this.#planned.set(step.id, step);
    if (event.type === 'step-start') {
      const { kind, stage } = this.#planned.get(event.id) ?? {};
      this.#steps.set(event.id, { id: event.id, title: event.title, kind, stage, outcome: 'running', started: time });
    }
    const step = 'id' in event ? this.#steps.get(event.id) : undefined;
    const change = step === undefined ? undefined : changeOf(event, (text) => redact(text, this.#hidden()));
    if (step !== undefined && change !== undefined) this.#steps.set(step.id, { ...step, ...change });
  }

  #allSteps(): RecordedStep[] {
    return [...this.#steps.values()];
  }
}

function changeOf(event: BuildEvent, safe: (text: string) => string): Partial<RecordedStep> | undefined {
  switch (event.type) {
    case 'step-explained':
      return { reasons: event.reasons };
    case 'step-done':
      return {
        outcome: event.cached ? 'cached' : event.skipped === true ? 'skipped' : 'done',
        ended: event.time,
        digest: event.digest,
        size: event.size,
        saved: event.saved,
      };
    case 'step-error':
      return { outcome: 'error', ended: event.time, error: safe(event.message) };
    case 'step-cancelled':
      return { outcome: 'cancelled', ended: event.time };
    case 'note':
    case 'plan':
    case 'step-start':
    case 'step-log':
    case 'step-progress':
      return undefined;
  }
}

function outcomeOf(
  outcome: { readonly result: RecordedResult } | { readonly error: unknown },
  hidden: readonly string[],
): Pick<BuildRecord, 'state' | 'imageId' | 'digest' | 'names' | 'error'> {
  if ('result' in outcome) {
    const { imageId, names, metadata } = outcome.result;
    const digest = metadata['containerimage.digest'];
    return { state: 'done', imageId, names, digest: typeof digest === 'string' ? digest : undefined };
  }
  const { error } = outcome;
  const cancelled = typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
  const code = isSlipwayError(error) ? error.code : undefined;
  return { state: cancelled ? 'cancelled' : 'failed', error: { code, message: redact(messageOf(error), hidden) } };
}

/** Sorts by time: eight digits of milliseconds in base 36, until the year 2059, and four at random. */
function newId(): string {
  const random = randomBytes(4).readUInt32BE() % 36 ** 4;
  return `${Date.now().toString(36).padStart(8, '0')}${random.toString(36).padStart(4, '0')}`;
}
