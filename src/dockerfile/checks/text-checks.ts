import type { Ast, Instruction } from '../ast.ts';
import { DockerfileError } from '../error.ts';
import { expandText, type Variables } from '../expand.ts';
import { parseReference } from '../../oci/index.ts';
import type { Stage, Stages } from '../instructions/command.ts';
import { cut } from '../text.ts';
import { buildkitRules } from './buildkit-rules.ts';
import { inCase, keywordCaseOf } from './keyword-case.ts';
import type { Reporter } from './reporter.ts';

/* What can be found by reading alone, before any variable has a value. */

/** Empty lines within continued ones, each at the instruction's last line, as BuildKit reports them. */
export function checkContinuations({ notes }: Ast, { report }: Reporter): void {
  const rule = buildkitRules.NoEmptyContinuation;
  for (const { line } of notes) report({ rule, message: rule.message(), range: { start: line, end: line } });
}

/** One instruction by itself, before its flags and arguments are judged. */
export function checkInstruction(instruction: Instruction, reporter: Reporter): void {
  const { range, comments } = instruction;
  switch (instruction.name.toLowerCase()) {
    case 'maintainer': {
      const rule = buildkitRules.MaintainerDeprecated;
      reporter.report({ rule, message: rule.message(), range, comments });
      return;
    }
    case 'from':
      checkFrom(instruction, reporter);
  }
}

function checkFrom({ name: from, args, range, comments }: Instruction, { report }: Reporter): void {
  const [, as, name, ...more] = args;
  if (name !== undefined && more.length === 0 && name !== name.toLowerCase()) {
    const rule = buildkitRules.StageNameCasing;
    report({ rule, message: rule.message(name), range, part: { arg: 2 }, comments });
  }
  if (as === undefined || name === undefined) return;
  // A FROM of mixed case is another rule's.
  const wanted = from === from.toLowerCase() ? as.toLowerCase() : from === from.toUpperCase() ? as.toUpperCase() : as;
  if (as === wanted) return;
  const rule = buildkitRules.FromAsCasing;
  report({ rule, message: rule.message(from, as), range, part: { arg: 1 }, comments });
}

/** Comments above FROM and ARG, once these are known to be right. */
export function checkDescription({ name, args, range, comments }: Instruction, { report }: Reporter): void {
  const keyword = name.toUpperCase();
  const names = keyword === 'FROM' ? args.slice(2, 3).map((each) => each.toLowerCase()) : argNames(args);
  const [first] = names;
  const last = comments.at(-1);
  if ((keyword !== 'FROM' && keyword !== 'ARG') || first === undefined || last === undefined) return;
  if (names.includes(last.split(' ')[0] ?? '')) return;
  const rule = buildkitRules.InvalidDefinitionDescription;
  report({ rule, message: rule.message(keyword, names.length > 1 ? '<arg_key>' : first), range, comments });
}

function argNames(args: readonly string[]): string[] {
  return args.map((arg) => cut(arg, '=')?.[0] ?? arg);
}

/** Names of stages, and the case of keywords over the whole file. */
export function checkStages({ stages }: Stages, reporter: Reporter): void {
  const seen = new Set<string>();
  for (const { name, range } of stages) {
    if (name === undefined) continue;
    const found = [
      ...(name === 'context' || name === 'scratch' ? [buildkitRules.ReservedStageName] : []),
      ...(seen.has(name) ? [buildkitRules.DuplicateStageName] : []),
    ];
    for (const rule of found) reporter.report({ rule, message: rule.message(name), range, part: { arg: 2 } });
    seen.add(name);
  }
  checkKeywords(stages, reporter);
}

function checkKeywords(stages: readonly Stage[], { report }: Reporter): void {
  const keywords = stages.flatMap(({ keyword, range, commands }) => [{ name: keyword, range }, ...commands]);
  const wanted = keywordCaseOf(keywords.map(({ name }) => name));
  const rule = buildkitRules.ConsistentInstructionCasing;
  for (const { name, range } of keywords) {
    if (name === inCase(name, wanted)) continue;
    report({ rule, message: rule.message(name, `${wanted}case`), range });
  }
}

export interface DefaultBaseOptions {
  readonly escape: Ast['escape'];
  /** What FROM sees where no build argument is given. */
  readonly defaults: Variables;
}

/** Bases that only a build argument makes right. */
export function checkDefaultBases(
  stages: readonly Stage[],
  { escape, defaults }: DefaultBaseOptions,
  { report }: Reporter,
): void {
  const rule = buildkitRules.InvalidDefaultArgInFrom;
  for (const { base, range } of stages) {
    const name = orUndefined(() => expandText(base, defaults, { escape }));
    if (name === undefined) return; // the build says so
    if (orUndefined(() => parseReference(name)) !== undefined) continue;
    report({ rule, message: rule.message(base), range, part: { arg: 0 } });
  }
}

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof DockerfileError || (error as { code?: unknown }).code !== undefined) return undefined;
    throw error;
  }
}
