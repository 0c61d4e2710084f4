import {
  applyFixes,
  type Ast,
  type BuildInputs,
  check,
  decodeText,
  DockerfileError,
  dump,
  type Finding,
  format,
  needKey,
  needs,
  outlineOf,
  ownRules,
  parse,
  platformNeeds,
  stagesJson,
  targetsOf,
  toDot,
  toGraph,
  toMermaid,
  toPlatformGraph,
} from '../../src/dockerfile/index.ts';
import { readScript } from '../../src/dockerfile/checks/shell/read-script.ts';
import type { ImageConfig } from '../../src/oci/index.ts';
import { imageConfig, inputs, linux } from './build-inputs.ts';

/** Everything that can be asked of a Dockerfile: each gives plain data, or an error of the room's own. */
export const readings: Readonly<Record<string, (ast: Ast) => unknown>> = {
  check: (ast) => checked(ast, inputs()),
  'check with bases': (ast) => checked(ast, inputs(), configsOf(ast)),
  'check with an ignore file': (ast) => checked(ast, inputs({ ignore: ['a*', '**/b', 'x/y'] })),
  format: formatted,
  dump,
  stages: stagesJson,
  targets: targetsOf,
  outline: (ast) => outlineOf(ast, inputs(), configsOf(ast)),
  graph: (ast) => toGraph(ast, inputs(), configsOf(ast)),
  platforms: (ast) => allPlatforms(ast),
  diagrams: (ast) => [toMermaid(allPlatforms(ast)), toDot(allPlatforms(ast))].map(withoutControls),
};

const platforms = [linux, { os: 'linux', architecture: 'arm64' }];

function allPlatforms(ast: Ast) {
  const given = { ...inputs(), platforms };
  const configs = new Map<string, ImageConfig>();
  for (let open = platformNeeds(ast, given, configs); open.length > 0; open = platformNeeds(ast, given, configs)) {
    for (const need of open) configs.set(needKey(need), imageConfig());
  }
  return toPlatformGraph(ast, given, configs);
}

function configsOf(ast: Ast): ReadonlyMap<string, ImageConfig> {
  const configs = new Map<string, ImageConfig>();
  for (let open = needs(ast, inputs(), configs); open.length > 0; open = needs(ast, inputs(), configs)) {
    for (const need of open) configs.set(needKey(need), imageConfig());
  }
  return configs;
}

/** Findings lie in the file; with all their fixes in it, it can still be read, and checked again. */
function checked(ast: Ast, given: BuildInputs, configs: ReadonlyMap<string, ImageConfig> = new Map()): unknown {
  const { text } = ast.source;
  const report = check(ast, given, configs, { rules: ownRules });
  for (const finding of report.findings) expectInside(finding, text);
  if (report.error !== undefined) expectPlace(report.error, text);
  const mended = applyFixes(text, report.findings);
  if (mended.applied.length + mended.left.length !== report.findings.length) throw new Error('findings are lost');
  const again = check(parse(mended.text), given, configs, { rules: ownRules });
  if (report.error === undefined && again.error !== undefined) throw new Error(`mended and broken: ${mended.text}`);
  return [report, mended, again];
}

function expectInside({ rule, start, end, fix }: Finding, text: string): void {
  const lines = text.split('\n');
  for (const { line, column } of [start, end]) {
    const width = lines[line - 1]?.length ?? -1;
    if (line < 1 || column < 1 || column > width + 1) throw new Error(`${rule} at ${line}:${column}`);
  }
  let from = 0;
  for (const edit of fix?.edits ?? []) {
    const isInOrder = from <= edit.start && edit.start <= edit.end && edit.end <= text.length;
    if (!isInOrder) throw new Error(`${rule} has an edit at ${edit.start} to ${edit.end}`);
    from = edit.end;
  }
}

function formatted(ast: Ast): string {
  const text = format(ast);
  if (format(parse(text)) !== text) throw new Error('formatting twice gives something else');
  return text;
}

/** A terminal must not act on a diagram. */
function withoutControls(diagram: string): string {
  if (/[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u.test(diagram)) throw new Error(`controls in ${JSON.stringify(diagram)}`);
  return diagram;
}

/** Reads shell text: commands and words lie in it, in order. */
export function expectScript(text: string): void {
  const script = readScript(text);
  let last = 0;
  for (const { start, end, words } of script.commands) {
    const inside = last <= start && start <= end && end <= text.length;
    if (!inside || words.some((word) => word.start < start || word.end > end)) {
      throw new Error(`a command at ${start} to ${end}`);
    }
    last = start;
  }
}

/** Errors that are about the file as a whole, or about what came with it. */
const withoutPlace: ReadonlySet<string> = new Set(['EMPTY', 'UNKNOWN_STAGE', 'INVALID_PATTERN']);

/** Fails unless an error names a place in `file`, or is about no line of it. */
function expectPlace({ code, message, range, position, details }: DockerfileError, file: string | Uint8Array): void {
  if (range === undefined) {
    if (withoutPlace.has(code) || message.startsWith('invalid SOURCE_DATE_EPOCH')) return;
    throw new Error(`no place in: ${message}`);
  }
  const lines = decodeText(file).split('\n');
  const isInside = 1 <= range.start && range.start <= range.end && range.end <= lines.length;
  const { line = 0, column = 0 } = position ?? {};
  const isOnLine =
    range.start <= line && line <= range.end && 1 <= column && column <= (lines[line - 1] ?? '').length + 1;
  if (isInside && isOnLine && details.length > 0) return;
  throw new Error(`a place outside of ${lines.length} lines: ${JSON.stringify({ range, position, message })}`);
}

/** Runs `work`, which gives plain data, or an error of the room's own with a place in `file` if one is given. */
export function expectAnswer(work: () => unknown, file?: string | Uint8Array): void {
  try {
    JSON.stringify(work());
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    if (file !== undefined) expectPlace(error, file);
  }
}
