import { dirname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import {
  applyFixes,
  check,
  type CheckOptions,
  type CheckReport,
  DockerfileError,
  parse,
  decodeText,
  encodeText,
} from '../../dockerfile/index.ts';
import type { Platform } from '../../oci/index.ts';
import type { Privileges } from '../../system/index.ts';
import { openContext } from '../contexts/main-context.ts';
import { BuildError } from '../error.ts';
import { inputsOf } from './inputs.ts';

/** What `slipway check` is asked for. */
export interface CheckRequest extends CheckOptions {
  /** Path of the Dockerfile; `-` for standard input. */
  readonly file: string;
  /** The folder whose ignore file counts; the Dockerfile's own unless given. */
  readonly context?: string | undefined;
  readonly stdin?: Readable | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string | undefined;
  readonly platform?: Platform | undefined;
}

/** A Dockerfile, and what was found in it. */
export interface CheckedDockerfile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly report: CheckReport;
}

/** A Dockerfile after its findings were mended, and what is left of them. */
export interface MendedDockerfile extends CheckedDockerfile {
  /** The file; undefined for standard input. */
  readonly path: string | undefined;
  /** How many findings are gone. */
  readonly mended: number;
}

/** How often a file is looked at again after a fix: one may uncover another, but never for long. */
const maxPasses = 10;

/**
 * As `checkDockerfile`, after mending what can be mended.
 * @returns the mended text, which is written nowhere yet, and the report of what is left
 */
export async function mendDockerfile(request: CheckRequest, privileges: Privileges): Promise<MendedDockerfile> {
  const opened = await openDockerfile(request, privileges);
  let file = { ...(await checkOpened(request, opened)), path: opened.path, mended: 0 };
  for (let pass = 0; pass < maxPasses; pass++) {
    const { text, applied } = applyFixes(file.text, file.report.findings);
    if (applied.length === 0) break;
    const bytes = encodeText(text);
    file = {
      ...(await checkOpened(request, { ...opened, bytes })),
      path: opened.path,
      mended: file.mended + applied.length,
    };
  }
  return file;
}

/**
 * Checks a Dockerfile with what is in it and beside it: no image is asked for.
 * @throws BuildError DOCKERFILE_NOT_FOUND, CONTEXT_NOT_FOUND
 */
export async function checkDockerfile(request: CheckRequest, privileges: Privileges): Promise<CheckedDockerfile> {
  return checkOpened(request, await openDockerfile(request, privileges));
}

interface OpenDockerfile {
  readonly name: string;
  readonly path: string | undefined;
  readonly bytes: Uint8Array;
  readonly ignore: readonly string[];
}

async function openDockerfile(request: CheckRequest, privileges: Privileges): Promise<OpenDockerfile> {
  const { file, stdin } = request;
  const alone = file === '-' && request.context === undefined;
  const context = alone ? '-' : (request.context ?? dirname(file));
  const asked = { context, dockerfile: alone ? undefined : file, stdin, buildArgs: {} };
  const opening = openContext(asked, { privileges, scratch: noScratch });
  const { dockerfile, ignore } = await opening.catch((error: unknown) => {
    // Its hint names a flag of `build`.
    if (!(error instanceof BuildError) || error.code !== 'DOCKERFILE_NOT_FOUND') throw error;
    throw new BuildError(error.code, error.message, { cause: error });
  });
  if (request.context === undefined && dockerfile.path !== undefined && dockerfile.path !== resolve(file)) {
    // One of that name in the folder of the one that is meant, as `-f` of `build` would have it.
    throw new BuildError('DOCKERFILE_NOT_FOUND', `failed to read dockerfile: open ${file}: no such file or directory`);
  }
  return { name: file === '-' ? dockerfile.name : file, path: dockerfile.path, bytes: dockerfile.text, ignore };
}

async function checkOpened(request: CheckRequest, { name, bytes, ignore }: OpenDockerfile): Promise<CheckedDockerfile> {
  const inputs = inputsOf({ ...request, labels: {} }, { context: { ignore, folder: '/' }, contexts: new Map() });
  const report = await reportOf(() => check(parse(bytes, { name }), inputs, new Map(), request));
  return { name, bytes, text: decodeText(bytes), report };
}

/** The report of `work`; that of a file which cannot even be parsed holds the error alone. */
export async function reportOf(work: () => CheckReport | Promise<CheckReport>): Promise<CheckReport> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return { findings: [], error, unknown: [], failOnFindings: false };
  }
}

function noScratch(): never {
  throw new DockerfileError('SYNTAX', 'an archive is no Dockerfile', { hint: 'give the path of a Dockerfile' });
}
