import { spawn } from 'node:child_process';
import { type CredentialProgram, namedSecret, notFound, programKey } from './program-protocol.ts';
import { RegistryError } from '../error.ts';
import { entriesOf } from './auth-file.ts';
import type { Credential } from './credential.ts';
import { ownKeeper, ownSuffix } from './own-keeper.ts';
import { findExecutable } from '../../system/index.ts';

const timeout = 10_000;
const outputLimit = 1024 * 1024;

/**
 * The program `docker-credential-<suffix>`, found by this process's own PATH. Secrets go through its stdin and stdout
 * only. It has 10 s and 1 MiB of output.
 * @throws RegistryError CREDENTIALS for a suffix that could name another file, and from every call that fails
 */
export function credentialProgram(suffix: string): CredentialProgram {
  // ourselves: started as a program it would look here again, without end
  if (suffix === ownSuffix) return ownKeeper();
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(suffix)) {
    throw new RegistryError(
      'CREDENTIALS',
      `not the name of a credential program: ${JSON.stringify(suffix.slice(0, 80))}`,
    );
  }
  const name = `docker-credential-${suffix}`;
  return {
    async get(host, signal) {
      const key = programKey(host);
      const result = await run(name, 'get', { input: key, signal });
      if (result.status !== 0 && result.output.trim() === notFound) return undefined;
      if (result.status !== 0) throw failed(name, 'get', result.status);
      return parseReply(result.output, name);
    },
    async store(host, credential, signal) {
      const input = JSON.stringify({ ServerURL: programKey(host), ...namedSecret(credential) });
      const { status } = await run(name, 'store', { input, signal });
      if (status !== 0) throw failed(name, 'store', status);
    },
    async erase(host, signal) {
      const result = await run(name, 'erase', { input: programKey(host), signal });
      if (result.status !== 0 && result.output.trim() !== notFound) throw failed(name, 'erase', result.status);
    },
  };
}

function parseReply(output: string, name: string): Credential | undefined {
  let fields: Map<string, unknown>;
  try {
    fields = new Map(entriesOf(JSON.parse(output)));
  } catch {
    throw new RegistryError('CREDENTIALS', `${name} answered something that is not JSON`);
  }
  const [username, secret] = [fields.get('Username'), fields.get('Secret')];
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw new RegistryError('CREDENTIALS', `${name} answered without Username and Secret`);
  }
  if (secret === '') return undefined;
  return username === '<token>'
    ? { kind: 'identity-token', token: secret }
    : { kind: 'basic', username, password: secret };
}

function failed(name: string, verb: string, status: number | null): RegistryError {
  return new RegistryError('CREDENTIALS', `${name} ${verb} failed with status ${status ?? 'unknown'}`);
}

interface Input {
  readonly input: string;
  readonly signal?: AbortSignal | undefined;
}

interface Result {
  readonly status: number | null;
  readonly output: string;
}

async function run(name: string, verb: string, { input, signal }: Input): Promise<Result> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const child = spawn(name, [verb], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: process.env,
    killSignal: 'SIGKILL',
    signal,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  // what the program itself started may hold its output open
  const stop = (): void => {
    child.kill('SIGKILL');
    child.stdout.destroy();
  };
  // not spawn's own timeout: that keeps the process for 10 s where the program does not exist
  const timer = setTimeout(stop, timeout);
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= outputLimit) chunks.push(chunk);
    else stop();
  });
  child.on('error', (error: NodeJS.ErrnoException) => {
    // EACCES also comes of a folder of PATH that may not be searched, wherever the program is not.
    const missing = error.code === 'ENOENT' || (error.code === 'EACCES' && findExecutable(name) === undefined);
    const why = missing ? 'is not installed' : `cannot run (${error.code ?? error.name})`;
    reject(new RegistryError('CREDENTIALS', `the credential program ${name} ${why}`, { cause: error }));
  });
  child.on('close', (status, killed) => {
    if (size > outputLimit) reject(new RegistryError('CREDENTIALS', `${name} wrote more than ${outputLimit} bytes`));
    else if (killed !== null) reject(new RegistryError('CREDENTIALS', `${name} was stopped after ${timeout / 1000} s`));
    else resolve({ status, output: Buffer.concat(chunks).toString('utf8') });
  });
  // a program that ends without reading its input is judged by its status
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  try {
    return await promise;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
