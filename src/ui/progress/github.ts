import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { type BuildNote, type KnownSecrets, secretMask } from '../../build/index.ts';
import { messageOf } from '../../errors.ts';
import { reasonOf } from '../../system/index.ts';
import { stripControls } from '../escape.ts';
import { annotation, type AnnotationPlace, escapeData, inertLine } from '../github.ts';
import { jobSummary } from './github-summary.ts';
import type { GroupDialect } from './grouped.ts';
import type { StepState, Steps } from './steps.ts';
import type { ProgressOptions, ProgressStream } from './types.ts';

/** How much of a step's end an annotation repeats. */
const annotatedLines = 10;

/**
 * GitHub's workflow commands. Whatever a step prints stands between `::stop-commands::` and a token that nobody can guess, so
 * that no line of it is obeyed; other text from outside is made inert.
 */
export function githubDialect(stream: ProgressStream, options: ProgressOptions): GroupDialect {
  const env = options.env ?? process.env;
  const file = annotatedFile(options.dockerfile, env);
  let token = '';
  const secrets: KnownSecrets[] = [];
  const stop = (): string => {
    token = `slipway-${randomBytes(16).toString('hex')}`;
    return `::stop-commands::${token}`;
  };
  return {
    open: (title) => [`::group::${escapeData(title)}`, stop()],
    close: () => [`::${token}::`, '::endgroup::'],
    outside: inertLine,
    quote: (lines) => (lines.length === 0 ? [] : [stop(), ...lines, `::${token}::`]),
    note: (note) => noteAnnotations(note, file),
    hide: (values) => void secrets.push(values),
    end: (steps, error) => {
      // They stay with the run, where everybody who may see it reads them.
      const mask = secretMask(secrets.flatMap((values) => values()));
      const lines = [
        ...failures(steps, error, { mask, fileName: (path) => annotatedFile(path ?? options.dockerfile, env) }),
        ...writeJobSummary(env['GITHUB_STEP_SUMMARY'], () =>
          jobSummary(steps, { now: (options.now ?? Date.now)(), dockerfile: file, error, mask }),
        ),
      ];
      if (error === undefined) return lines;
      // The error that is shown next may quote what a step or a registry said.
      lines.push(stop());
      process.once('exit', () => void stream.write(`::${token}::\n`));
      return lines;
    },
  };
}

/** GitHub knows files by their path in the repository. */
function annotatedFile(path: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (path === undefined) return undefined;
  const found = relative(env['GITHUB_WORKSPACE'] || '.', resolve(path));
  return found.startsWith('..') || isAbsolute(found) ? path : found;
}

function noteAnnotations({ findings = [] }: BuildNote, file: string | undefined): string[] {
  return findings.map(({ rule, message, line }) =>
    annotation('warning', message, { ...(file === undefined ? {} : { file, line }), title: rule }),
  );
}

interface Telling {
  /** Takes secrets out. */
  readonly mask: (text: string) => string;
  /** The name in annotations of a Dockerfile, the build's own where none is given. */
  readonly fileName: (path?: string) => string | undefined;
}

function failures(steps: Steps, error: unknown, telling: Telling): string[] {
  if (steps.failed.length > 0) return steps.failed.map((step) => failure(step, steps, telling));
  if (error === undefined || isAbort(error)) return [];
  const file = telling.fileName();
  return [
    annotation('error', telling.mask(messageOf(error)), { file, ...placeOf(error, file), title: 'slipway build' }),
  ];
}

function failure(step: StepState, steps: Steps, { mask, fileName }: Telling): string {
  const { start, end } = steps.planned(step.id)?.location ?? {};
  const file = fileName(steps.dockerfileOf(step.id));
  const tail = step.tail.slice(-annotatedLines).map(stripControls);
  const place = start === undefined || file === undefined ? {} : { file, line: start, endLine: end };
  return annotation('error', [step.error ?? 'failed', ...tail].map(mask).join('\n'), { ...place, title: step.title });
}

/** The lines that an error about the Dockerfile names. */
function placeOf(error: unknown, file: string | undefined): AnnotationPlace {
  const { range } = error as { readonly range?: { readonly start: number; readonly end: number } };
  return range === undefined || file === undefined ? { file: undefined } : { line: range.start, endLine: range.end };
}

function isAbort(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
}

function writeJobSummary(path: string | undefined, text: () => string): string[] {
  if (path === undefined || path === '') return [];
  try {
    appendFileSync(path, text());
    return [];
  } catch (error) {
    return [inertLine(`the job summary could not be written: ${reasonOf(error)}`)];
  }
}
