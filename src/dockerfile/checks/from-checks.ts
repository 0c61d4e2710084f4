import { parsePlatform } from '../../oci/index.ts';
import type { Expansion, Variables } from '../expand.ts';
import type { Stage } from '../instructions/command.ts';
import { buildkitRules } from './buildkit-rules.ts';
import type { Reporter } from './reporter.ts';

/** What is known when a FROM is read. */
export interface FromSetting {
  readonly globals: Variables;
  /** ARGs before the first FROM, with or without a value, and platform arguments. */
  readonly declared: ReadonlySet<string>;
  readonly reporter: Reporter;
}

/** Names in FROM that no ARG before the first FROM declares. */
export function checkFromArguments(
  { range, comments }: Stage,
  unmatched: ReadonlySet<string>,
  { declared, reporter }: FromSetting,
): void {
  const rule = buildkitRules.UndefinedArgInFrom;
  for (const name of unmatched) {
    if (declared.has(name)) continue;
    const message = rule.message(name, reporter.suggest(name, declared));
    reporter.report({ rule, message, range, part: { variable: name }, comments });
  }
}

/** A `--platform` that says what is so anyway, or always the same. */
export function checkPlatform(stage: Stage, expansion: Expansion, { globals, reporter }: FromSetting): void {
  const { text, matched, unmatched } = expansion;
  const { range, comments, platform } = stage;
  const place = { range, part: { flag: 'platform' }, comments };
  if (
    matched.size === 1 &&
    unmatched.size === 0 &&
    matched.has('TARGETPLATFORM') &&
    text === globals.get('TARGETPLATFORM')
  ) {
    const rule = buildkitRules.RedundantTargetPlatform;
    reporter.report({ rule, message: rule.message(platform), ...place });
  }
  if (matched.size > 0 || unmatched.size > 0 || isForStage(stage, text)) return;
  const rule = buildkitRules.FromPlatformFlagConstDisallowed;
  reporter.report({ rule, message: rule.message(text), ...place });
}

/** Whether a stage's name tells that it is meant for a platform; of what is no platform the build speaks. */
function isForStage({ name = '' }: Stage, platform: string): boolean {
  try {
    const { os, architecture } = parsePlatform(platform);
    return name.includes(os) || name.includes(architecture);
  } catch {
    return true;
  }
}
