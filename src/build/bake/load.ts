import { randomUUID } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { formatPlatform, hostPlatform } from '../../oci/index.ts';
import { reasonOf } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import { parseBool } from './definition/entries.ts';
import { isRemote } from './definition/select.ts';
import type { Definition } from './definition/target.ts';
import type { Source } from './hcl/source.ts';

/** Which files a definition is read from, and what its variables are. */
export interface LoadDefinitionOptions {
  /** Paths, or `-` for standard input; those that bake looks for unless given. */
  readonly files: readonly string[];
  readonly stdin?: Readable | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--var`: before the environment. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

/** In this order, as many as there are. */
const defaultFiles = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
  'docker-bake.json',
  'docker-bake.hcl',
  'docker-bake.override.json',
  'docker-bake.override.hcl',
] as const;

/** No definition is larger. */
const largest = 16 << 20;

/**
 * Reads the files of a bake definition, from the working folder on.
 * @throws BuildError BAKE_NOT_FOUND, BAKE_INVALID
 */
export async function loadDefinition(options: LoadDefinitionOptions): Promise<Definition> {
  const sources = await readSources(options);
  if (sources.length === 0)
    throw new BuildError('BAKE_NOT_FOUND', "couldn't find a bake definition", {
      hint: `name one with -f, or write ${defaultFiles.slice(-4, -2).join(' or ')}`,
    });
  const lookup = lookupIn(options);
  // The languages are a fifth of the program, and only this command reads them.
  const { parseDefinition } = await import('./definition/parse.ts');
  return parseDefinition(sources, {
    lookup,
    machine: { now: new Date(), homeFolder: options.environment['HOME'] ?? homedir(), uuid: randomUUID },
    builtIn: { BAKE_CMD_CONTEXT: 'cwd://', BAKE_LOCAL_PLATFORM: formatPlatform(hostPlatform()) },
    compose: { variables: await composeVariables(options), read: readIfThere },
  });
}

/** Where variables and arguments without a value are looked up. */
export function lookupIn({ environment, variables = {} }: LoadDefinitionOptions): (name: string) => string | undefined {
  const disabled = isEnvironmentDisabled(environment);
  return (name) => own(variables, name) ?? (disabled ? undefined : own(environment, name));
}

/** A definition chooses the names: `toString` is none that every object has. */
function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function isEnvironmentDisabled(environment: LoadDefinitionOptions['environment']): boolean {
  try {
    return parseBool(environment['BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP'] ?? 'false');
  } catch {
    return false;
  }
}

/** Compose files also see `.env` of the working folder. */
async function composeVariables({
  environment,
  variables,
}: LoadDefinitionOptions): Promise<Record<string, string | undefined>> {
  const known = isEnvironmentDisabled(environment) ? {} : environment;
  const text = readIfThere('.env');
  const { readVariables } = await import('./compose/read.ts');
  const fromFile = text === undefined ? {} : readVariables('.env', text, known);
  const all = { ...fromFile, ...known, ...variables };
  return { ...all, COMPOSE_PROJECT_NAME: all['COMPOSE_PROJECT_NAME'] || 'bake' };
}

async function readSources({ files, stdin }: LoadDefinitionOptions): Promise<Source[]> {
  if (files.length === 0) {
    return defaultFiles.flatMap((name) => {
      const text = readIfThere(name);
      return text === undefined ? [] : [{ name, text }];
    });
  }
  const sources: Source[] = [];
  for (const written of files) {
    const name = written.startsWith('cwd://') ? written.slice('cwd://'.length) : written;
    if (isRemote(name))
      throw new BuildError('UNSUPPORTED', `bake definitions are read from this machine only: ${name}`, {
        exitCode: 125,
        hint: 'clone or download it, and name the file with -f',
      });
    sources.push({ name, text: name === '-' ? await readAll(stdin, name) : await readAll(openFile(name), name) });
  }
  return sources;
}

function openFile(path: string): Readable {
  try {
    if (statSync(path).isDirectory())
      throw new BuildError('BAKE_NOT_FOUND', `cannot read ${path}: it is a folder`, {
        hint: `did you mean ${join(path, 'docker-bake.hcl')}?`,
      });
    return createReadStream(path);
  } catch (error) {
    throw error instanceof BuildError ? error : unreadable(path, error);
  }
}

async function readAll(stream: Readable | undefined, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of (stream ?? []) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > largest) throw tooLarge(name);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof BuildError ? error : unreadable(name, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readIfThere(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) return undefined;
  if (stats.size > largest) throw tooLarge(path);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function tooLarge(name: string): BuildError {
  return new BuildError('BAKE_INVALID', `${name} is larger than ${largest} bytes`);
}

function unreadable(path: string, error: unknown): BuildError {
  return new BuildError('BAKE_NOT_FOUND', `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
}
