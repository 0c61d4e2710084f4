import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { boolean, option, string } from '@oclif/core/flags';
import { progressFor } from '../progress/progress-for.ts';
import { severalRenderers } from '../progress/several.ts';
import { timelineFile } from '../timeline/timeline-file.ts';
import type { ProgressKind, ProgressRenderer, ProgressStream } from '../progress/types.ts';

const kinds = ['auto', 'tty', 'plain', 'quiet', 'json', 'rawjson', 'github', 'gitlab'] as const;

/** How a build is shown while it runs, and what is told of it at its end. */
export const progressFlags = {
  progress: option({
    options: kinds,
    description: 'How progress is shown; auto unless given (or BUILDKIT_PROGRESS)',
    env: 'SLIPWAY_PROGRESS',
  })(),
  explain: boolean({ description: 'Say of each step why it is not cached', default: false }),
  timeline: string({
    description: 'Draw the build as a page of HTML: what ran when, why, and what took so long',
    helpValue: 'FILE',
  }),
  summary: boolean({
    description: 'Sum the build up at its end, however short it was; never with --no-summary',
    allowNo: true,
  }),
};

export interface ProgressValues {
  readonly quiet: boolean;
  readonly progress: ProgressKind | undefined;
  readonly explain: boolean;
  readonly summary: boolean | undefined;
  readonly timeline: string | undefined;
}

export interface ShownBuild {
  /** As on the command line. */
  readonly context: string;
  readonly file: string | undefined;
  readonly stream: ProgressStream;
}

/**
 * The renderers that the flags ask for, as one.
 * @throws UiError FILE_UNWRITABLE
 */
export function buildProgress(flags: ProgressValues, { context, file, stream }: ShownBuild): ProgressRenderer {
  const kind = flags.quiet ? 'quiet' : (flags.progress ?? progressOf(process.env['BUILDKIT_PROGRESS']));
  const { explain, summary, timeline } = flags;
  const shown = progressFor(kind, stream, { explain, summary, dockerfile: dockerfilePath(context, file) });
  return timeline === undefined ? shown : severalRenderers([shown, timelineFile(timeline)]);
}

/** A word of BuildKit's that we do not have is no reason to fail. */
function progressOf(word: string | undefined): ProgressKind {
  return kinds.find((kind) => kind === word) ?? 'auto';
}

/** Where the Dockerfile is, for people and for annotations; undefined where it is no file of this machine. */
function dockerfilePath(context: string, file: string | undefined): string | undefined {
  if (file === '-') return undefined;
  const inContext = context === '-' || context.includes('://') ? [] : [context];
  const candidates =
    file === undefined
      ? inContext.flatMap((folder) => [join(folder, 'Dockerfile'), join(folder, 'Containerfile')])
      : [file, ...(isAbsolute(file) ? [] : inContext.map((folder) => join(folder, file)))];
  return candidates.find((path) => existsSync(path));
}
