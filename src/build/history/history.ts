import { createReadStream, existsSync, statSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bootId, processStartTime } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import type { BuildEvent } from '../events.ts';
import { type BuildRecord, type BuildState, isBuildId, parseRecord } from './record.ts';

/** How many builds are kept unless it is said. */
export const defaultKept = 50;
/** How many bytes their logs may have together; the newest is kept whatever it has. */
const maxBytes = 512 << 20;

/** An event of a recorded build with its time, in milliseconds since 1970. */
export type RecordedEvent = BuildEvent & { readonly time: number };

/** The builds that a store remembers, in `builds/` of its folder. Reading it needs no open store. */
export class BuildHistory {
  readonly folder: string;

  /** @param root the store's folder */
  constructor(root: string) {
    this.folder = join(root, 'builds');
  }

  folderOf(id: string): string {
    return join(this.folder, id);
  }

  /** Newest first; what cannot be read is left out. */
  async list(): Promise<readonly BuildRecord[]> {
    const records: BuildRecord[] = [];
    for (const id of await this.#ids()) {
      const record = await this.#read(id);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /**
   * The build of an id or of the beginning of one; the newest where there is none.
   * @throws BuildError NO_SUCH_BUILD
   */
  async find(start: string | undefined): Promise<BuildRecord> {
    const ids = (await this.#ids()).filter((id) => id.startsWith(start ?? ''));
    const [first, second] = ids;
    const record = first === undefined ? undefined : await this.#read(first);
    if (record === undefined) throw noSuchBuild(start ?? 'any', 'no such build');
    if (second !== undefined && start !== undefined && first !== start) throw noSuchBuild(start, 'more than one build');
    return record;
  }

  /** The events of a build, as they came. */
  async *events(id: string): AsyncIterable<RecordedEvent> {
    const path = join(this.folderOf(id), 'log.jsonl');
    if (!existsSync(path)) return;
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      const event = parseEvent(line);
      if (event !== undefined) yield event;
    }
  }

  async remove(id: string): Promise<void> {
    if (!isBuildId(id)) return;
    // Without its record it is no build any more, whatever of it is still there.
    await rm(join(this.folderOf(id), 'record.json'), { force: true });
    await rm(this.folderOf(id), { recursive: true, force: true });
  }

  /** Lets the oldest go: all but the newest `kept`, and those whose logs are too much together. Builds that run stay. */
  async prune(kept: number): Promise<void> {
    let bytes = 0;
    for (const [index, id] of (await this.#ids()).entries()) {
      bytes += sizeOf(join(this.folderOf(id), 'log.jsonl'));
      if (index < kept && (index === 0 || bytes <= maxBytes)) continue;
      const record = await this.#read(id);
      if (record === undefined || buildStateOf(record) !== 'running') await this.remove(id);
    }
  }

  /** Newest first. */
  async #ids(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => []);
    return names.filter(isBuildId).sort().reverse();
  }

  async #read(id: string): Promise<BuildRecord | undefined> {
    const text = await readFile(join(this.folderOf(id), 'record.json'), 'utf8').catch(() => '');
    return parseRecord(text);
  }
}

/** 0 where there is none. Every build asks it of fifty files: 3 µs for each at once, 150 through the thread pool. */
function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** What became of a build, also of one that did not live to say so. */
export function buildStateOf({ state, process: { pid, startTime, bootId: boot } }: BuildRecord): BuildState {
  if (state !== 'running') return state;
  return boot === bootId() && processStartTime(pid) === startTime ? 'running' : 'interrupted';
}

/** Undefined for a line that was torn, or that is not known. */
function parseEvent(line: string): RecordedEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || !('time' in value)) return undefined;
  const known = value.type === 'note' || value.type === 'plan' || ('id' in value && typeof value.id === 'string');
  return known && typeof value.time === 'number' ? (value as RecordedEvent) : undefined;
}

function noSuchBuild(start: string, why: string): BuildError {
  return new BuildError('NO_SUCH_BUILD', `${why}: ${start}`, {
    hint: '`slipway builds ls` lists those that are remembered.',
  });
}
