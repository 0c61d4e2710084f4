import { githubDialect } from './github.ts';
import { gitlabDialect } from './gitlab.ts';
import { GroupedProgress } from './grouped.ts';
import { JsonProgress } from './json.ts';
import { PlainProgress } from './plain.ts';
import { QuietProgress } from './quiet.ts';
import { TtyProgress } from './tty.ts';
import type { ProgressKind, ProgressOptions, ProgressRenderer, ProgressStream } from './types.ts';

/** The renderer for a kind of progress; `rawjson` is BuildKit's word for `json`. */
export function progressFor(
  kind: ProgressKind,
  stream: ProgressStream,
  options: ProgressOptions = {},
): ProgressRenderer {
  switch (kind) {
    case 'auto':
      return progressFor(chooseProgress(stream, options.env), stream, options);
    case 'tty':
      return new TtyProgress(stream, options);
    case 'plain':
      return new PlainProgress(stream, options);
    case 'quiet':
      return new QuietProgress(stream);
    case 'json':
    case 'rawjson':
      return new JsonProgress(stream, options);
    case 'github':
      return new GroupedProgress(stream, githubDialect(stream, options), options);
    case 'gitlab':
      return new GroupedProgress(stream, gitlabDialect(options.now ?? Date.now), options);
  }
}

/** What `auto` means: a terminal is drawn on; else a CI service that is known gets its form, and all others lines. */
export function chooseProgress(
  stream: ProgressStream,
  env: NodeJS.ProcessEnv = process.env,
): Exclude<ProgressKind, 'auto'> {
  if (canDraw(stream, env)) return 'tty';
  if (stream.isTTY === true) return 'plain';
  if (env['GITHUB_ACTIONS'] === 'true') return 'github';
  return env['GITLAB_CI'] === 'true' ? 'gitlab' : 'plain';
}

/** True for a terminal that moves its cursor and that a person watches. */
export function canDraw(stream: ProgressStream, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb' && (env['CI'] ?? '') === '';
}
