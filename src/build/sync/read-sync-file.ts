import { readFile } from 'node:fs/promises';
import type { LineCounter, Document } from 'yaml';
import { messageOf } from '../../errors.ts';
import { parsePlatform } from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { SyncTask, TagFilter } from './contract.ts';

/** What a file says is to be synced, and how. */
export interface SyncFile {
  readonly tasks: readonly SyncTask[];
  /** Tags at work at once. */
  readonly parallel: number | undefined;
}

const fileLimit = 4 * 1024 * 1024;
const mostTasks = 10_000;

type Fields = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

const topKeys = ['version', 'defaults', 'sync'];
const shared = ['tags', 'platform', 'platforms', 'referrers', 'prune'];
const defaultKeys = [...shared, 'parallel'];
const entryKeys = [...shared, 'source', 'target', 'type'];
const tagKeys = ['include', 'allow', 'exclude', 'deny', 'semver', 'semverRange'];

/**
 * Reads a file of things to sync (docs/registry-commands.md): YAML with `sync`, a list of `source`, `target` and how. The
 * words of regsync are taken too, where it has the thing.
 * @throws BuildError SYNC_INVALID with the line
 */
export async function readSyncFile(path: string): Promise<SyncFile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new BuildError('SYNC_INVALID', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  });
  if (text.length > fileLimit) throw new BuildError('SYNC_INVALID', `${path} is longer than ${fileLimit} bytes`);
  const { LineCounter: Lines, parseDocument } = await import('yaml');
  const lines = new Lines();
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error', lineCounter: lines });
  return new SyncFileReader(path, document, lines).read();
}

class SyncFileReader {
  readonly #path: string;
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(path: string, document: Document, lines: LineCounter) {
    this.#path = path;
    this.#document = document;
    this.#lines = lines;
  }

  read(): SyncFile {
    const [problem] = [...this.#document.errors, ...this.#document.warnings];
    if (problem !== undefined) throw this.#error(problem.message, problem.pos[0]);
    const top = this.#fields(this.#plain(), [], topKeys);
    const defaults = this.#fields(top['defaults'] ?? {}, ['defaults'], defaultKeys);
    const entries = this.#list(top['sync'], ['sync']);
    if (entries.length > mostTasks) throw this.#wrong(['sync'], `more than ${mostTasks} entries`);
    return {
      parallel: this.#number(defaults['parallel'], ['defaults', 'parallel']),
      tasks: entries.map((entry, at) => this.#task(entry, ['sync', at], defaults)),
    };
  }

  #plain(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 100 }) as unknown;
    } catch (cause) {
      throw new BuildError('SYNC_INVALID', `${this.#path}: ${messageOf(cause)}`, { cause });
    }
  }

  #task(value: unknown, path: Path, defaults: Fields): SyncTask {
    const entry = this.#fields(value, path, entryKeys);
    const type = entry['type'] ?? 'repository';
    if (type !== 'repository' && type !== 'image') {
      throw this.#wrong([...path, 'type'], `type is repository or image, not ${JSON.stringify(type)}`);
    }
    const get = (name: string): { readonly value: unknown; readonly path: Path } =>
      entry[name] === undefined
        ? { value: defaults[name], path: ['defaults', name] }
        : { value: entry[name], path: [...path, name] };
    const text = (name: string): string => {
      const found = entry[name];
      if (typeof found === 'string' && found !== '') return found;
      throw this.#wrong([...path, name], `${name} is missing`);
    };
    const flag = (name: string): boolean => {
      const { value: found, path: where } = get(name);
      if (found === undefined || typeof found === 'boolean') return found ?? false;
      throw this.#wrong(where, `${name} is true or false`);
    };
    // what all entries have by default is said of repositories
    if (type === 'image' && entry['prune'] === true) {
      throw this.#wrong([...path, 'prune'], 'prune is for repositories: one image says nothing of other tags');
    }
    const platforms = [...this.#texts(get('platform')), ...this.#texts(get('platforms'))];
    return {
      source: text('source'),
      target: text('target'),
      single: type === 'image',
      tags: this.#tags(get('tags')),
      ...(platforms.length === 0 ? {} : { platforms: platforms.map((platform) => parsePlatform(platform)) }),
      referrers: flag('referrers'),
      prune: flag('prune') && type === 'repository',
    };
  }

  #tags({ value, path }: { readonly value: unknown; readonly path: Path }): TagFilter {
    if (value === undefined) return {};
    const fields = this.#fields(value, path, tagKeys);
    const both = (ours: string, theirs: string): readonly string[] | undefined => {
      if (fields[ours] === undefined && fields[theirs] === undefined) return undefined;
      return [ours, theirs].flatMap((name) => this.#texts({ value: fields[name], path: [...path, name] }));
    };
    return {
      include: both('include', 'allow'),
      exclude: both('exclude', 'deny'),
      semver: both('semver', 'semverRange'),
    };
  }

  #fields(value: unknown, path: Path, known: readonly string[]): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.#wrong(path, `${path.at(-1) ?? 'the file'} is no mapping`);
    }
    const unknownKey = Object.keys(value).find((key) => !known.includes(key));
    if (unknownKey === undefined) return value as Fields;
    const hint = unknownKey === 'creds' ? '`slipway login` logs in; credentials are no part of such a file' : undefined;
    throw this.#wrong([...path, unknownKey], `${unknownKey} is not known here (${known.join(', ')})`, hint);
  }

  #list(value: unknown, path: Path): readonly unknown[] {
    if (Array.isArray(value)) return value;
    throw this.#wrong(path, `${path.at(-1) ?? 'it'} is no list`);
  }

  #texts({ value, path }: { readonly value: unknown; readonly path: Path }): readonly string[] {
    if (value === undefined) return [];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.map((item) => {
      // a version such as 1.20 is a number to YAML, and not the one that is meant
      if (typeof item === 'string') return item;
      throw this.#wrong(path, `${JSON.stringify(item)} is no text`, 'Put it in quotes.');
    });
  }

  #number(value: unknown, path: Path): number | undefined {
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 100)) {
      return value as number | undefined;
    }
    throw this.#wrong(path, `${path.at(-1) ?? 'it'} is a number from 1 to 100`);
  }

  #wrong(path: Path, message: string, hint?: string): BuildError {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = this.#document.getIn(path.slice(0, length), true);
      const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
      if (Array.isArray(range) && typeof range[0] === 'number') return this.#error(message, range[0], hint);
    }
    return this.#error(message, 0, hint);
  }

  #error(message: string, at: number, hint?: string): BuildError {
    return new BuildError('SYNC_INVALID', `${this.#path}:${this.#lines.linePos(at).line}: ${message}`, { hint });
  }
}
