import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type BuildInputs,
  check,
  type CheckOptions,
  type CheckReport,
  DockerfileError,
  parse,
  decodeText,
} from '../dockerfile/index.ts';
import { hostPlatform, normalizePlatform, type Platform } from '../oci/index.ts';
import type { Privileges } from '../system/index.ts';
import { openContext } from './context.ts';

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

export interface CheckedDockerfile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly report: CheckReport;
}

/**
 * Checks a Dockerfile with what is in it and beside it: no image is asked for.
 * @throws BuildError DOCKERFILE_NOT_FOUND, CONTEXT_NOT_FOUND
 */
export async function checkDockerfile(request: CheckRequest, privileges: Privileges): Promise<CheckedDockerfile> {
  const { file, stdin } = request;
  const alone = file === '-' && request.context === undefined;
  const context = alone ? '-' : (request.context ?? dirname(file));
  const opened = await openContext({ context, dockerfile: alone ? undefined : file, stdin }, noScratch, { privileges });
  const name = file === '-' ? opened.dockerfile.name : file;
  const bytes = opened.dockerfile.text;
  const inputs = inputsOf(request, opened.ignore);
  const report = await reportOf(() => check(parse(bytes, { name }), inputs, new Map(), request));
  return { name, bytes, text: decodeText(bytes), report };
}

function inputsOf(request: CheckRequest, ignore: readonly string[]): BuildInputs {
  const host = hostPlatform();
  return {
    buildArgs: request.buildArgs,
    ...(request.target === undefined ? {} : { target: request.target }),
    platform: normalizePlatform(request.platform ?? host),
    buildPlatform: host,
    labels: {},
    contexts: {},
    ignore,
    hasContext: true,
  };
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
