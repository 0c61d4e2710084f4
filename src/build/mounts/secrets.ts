import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { BuildError } from '../error.ts';
import type { SecretRequest, SecretSource } from './secret-request.ts';

/** The most bytes that a secret may have: docker's limit. */
export const largestSecret = 500 * 1024;

export interface SecretSourcesOptions {
  /** Where variables are looked up, and what commands see. */
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The secrets of one build by id. Each is read once, when it is first asked for, and kept in memory alone: a value is never part
 * of an error, an event or a file on disk.
 */
export class SecretSources {
  readonly #sources: ReadonlyMap<string, SecretSource>;
  readonly #options: SecretSourcesOptions;
  readonly #values = new Map<string, Promise<Buffer | undefined>>();
  readonly #known: Buffer[] = [];

  /** Of several requests for an id the last counts. */
  constructor(requests: readonly SecretRequest[], options: SecretSourcesOptions) {
    this.#sources = new Map(requests.map(({ id, source }) => [id, source]));
    this.#options = options;
  }

  /**
   * The value of a secret; undefined where none was given, or its variable is not set.
   * @throws BuildError SECRET_UNAVAILABLE where it was given and cannot be had: no such file, a command that fails, more than 500 KiB
   */
  get(id: string): Promise<Buffer | undefined> {
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const source = this.#sources.get(id);
    const value = source === undefined ? Promise.resolve(undefined) : this.#remember(this.#read(id, source));
    this.#values.set(id, value);
    return value;
  }

  /** The values that were asked for so far: what must not be written down. */
  get known(): readonly Buffer[] {
    return this.#known;
  }

  async #remember(reading: Promise<Buffer | undefined>): Promise<Buffer | undefined> {
    const value = await reading;
    if (value !== undefined) this.#known.push(value);
    return value;
  }

  async #read(id: string, source: SecretSource): Promise<Buffer | undefined> {
    const { environment, signal } = this.#options;
    switch (source.kind) {
      case 'env': {
        const value = environment[source.name];
        return value === undefined ? undefined : bounded(id, Buffer.from(value));
      }
      case 'file':
        return bounded(id, await readFile(id, source.path));
      case 'command':
        return runCommand(id, source.command, { environment, signal });
    }
  }
}

function bounded(id: string, value: Buffer): Buffer {
  if (value.length <= largestSecret) return value;
  throw unavailable(id, `it has more than ${largestSecret} bytes`);
}

/** No more than the bound is read, whatever the file claims; it may be a pipe (`src=<(…)`). */
async function readFile(id: string, path: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const chunks: Buffer[] = [];
    for (let size = 0; size <= largestSecret; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'it cannot be read';
    throw unavailable(id, `${path}: ${reason}`, { cause });
  }
}

/** The user's own command, in the user's environment: it may need a token, an agent or a home. */
function runCommand(id: string, command: string, { environment, signal }: SecretSourcesOptions): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const child = spawn('sh', ['-c', command], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = (): void => {
    child.kill('SIGKILL');
    // What the shell started holds them open, and ends when it writes on.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  signal?.addEventListener('abort', stop, { once: true });
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= largestSecret) chunks.push(chunk);
    else stop();
  });
  let said = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    said = Buffer.concat([said, chunk]).subarray(-2048);
  });
  child.once('error', (cause) => reject(unavailable(id, 'its command could not be run to its end', { cause })));
  child.once('close', (code, ending) => {
    if (size > largestSecret) return reject(unavailable(id, `its command wrote more than ${largestSecret} bytes`));
    if (code === 0) return resolve(Buffer.concat(chunks));
    const value = Buffer.concat(chunks).toString().trim();
    reject(unavailable(id, `its command ended with ${code ?? ending}`, { details: lines(said, value) }));
  });
  return promise.finally(() => signal?.removeEventListener('abort', stop));
}

/** What the command complained of, without the value that it may have written already. */
function lines(said: Buffer, value: string): readonly string[] {
  const text = value === '' ? said.toString() : said.toString().replaceAll(value, '***');
  const written = text.split('\n').filter((line) => line.trim() !== '');
  return written.slice(-5);
}

function unavailable(
  id: string,
  why: string,
  options: { readonly cause?: unknown; readonly details?: readonly string[] } = {},
): BuildError {
  return new BuildError('SECRET_UNAVAILABLE', `secret ${id}: ${why}`, {
    ...options,
    hint: 'see --secret in docs/mounts.md for what a secret can come from',
  });
}
