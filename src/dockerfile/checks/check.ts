import type { ImageConfig } from '../../oci/index.ts';
import type { Ast, Instruction } from '../ast.ts';
import { lastWithin } from '../bisect.ts';
import { type BuildInputs, type ImageNeed, needKey, type ResolvedConfigs } from '../contract.ts';
import { DockerfileError } from '../error.ts';
import { Positions } from '../position.ts';
import { reach, type Reach } from '../stage-graph/reach.ts';
import { buildStages } from '../stage-graph/to-graph.ts';
import { checkConfigOf, withSkipped } from './check-config.ts';
import type { Finding, FindingDraft, Fix } from './finding.ts';
import { fixFor } from './fixes/buildkit-fixes.ts';
import { FileFacts } from './fixes/file-facts.ts';
import type { FixContext } from './fixes/fix-context.ts';
import { Findings } from './reporter.ts';
import type { FileRule, Subject } from './subject.ts';
import { subjectOf } from './subject-of.ts';

export interface CheckOptions {
  /** Rules beside BuildKit's; none unless given. */
  readonly rules?: readonly FileRule[];
  /** Names of rules that are not asked, beside those that the file skips. */
  readonly skip?: readonly string[];
}

/** What a check came to. */
export interface CheckReport {
  /** In the order of the file; no more than the first ten thousand that were found. */
  readonly findings: readonly Finding[];
  /** Why the file cannot be built at all; what comes after the place was not checked. */
  readonly error: DockerfileError | undefined;
  /** Images that stages begin with and whose configs were not given: variables of theirs were taken as set. */
  readonly unknown: readonly ImageNeed[];
  /** Whether the file asks that findings be errors (`# check=error=true`). */
  readonly failOnFindings: boolean;
}

/**
 * Checks a Dockerfile by BuildKit's rules and by those given. Without a target all stages are looked at. Configs of
 * images that are not known may be missing; nothing is said then of what depends on them.
 */
export function check(
  ast: Ast,
  inputs: BuildInputs,
  configs: ResolvedConfigs,
  options: CheckOptions = {},
): CheckReport {
  const findings = new Findings();
  const unknown = new Map<string, ImageNeed>();
  let error: DockerfileError | undefined;
  try {
    findings.configure(withSkipped(checkConfigOf(ast, inputs), options.skip ?? []));
    const { reached, known } = reachAll(ast, inputs, { configs, findings, unknown });
    const builder = buildStages(reached, { configs: known, reporter: findings, unknown: new Set(unknown.keys()) });
    askRules(options.rules ?? [], findings, () => subjectOf(builder));
  } catch (caught) {
    if (!(caught instanceof DockerfileError)) throw caught;
    error = caught;
  }
  return {
    findings: place(ast, findings.drafts),
    error,
    unknown: [...unknown.values()],
    failOnFindings: findings.config.error,
  };
}

/**
 * The images whose configs `check` would like to know, as `needs` gives them for a build. Nothing where the file cannot be
 * understood so far: `check` says why.
 */
export function checkNeeds(ast: Ast, inputs: BuildInputs, configs: ResolvedConfigs): Reach['needs'] {
  try {
    return reach(ast, inputs, configs, { all: inputs.target === undefined }).needs;
  } catch (error) {
    if (error instanceof DockerfileError) return [];
    throw error;
  }
}

interface Known {
  readonly configs: ResolvedConfigs;
  readonly findings: Findings;
  /** Filled with the images that stand-ins were made for. */
  readonly unknown: Map<string, ImageNeed>;
}

/** All stages that count, an empty config standing in for each that is missing. */
function reachAll(
  ast: Ast,
  inputs: BuildInputs,
  { configs, findings, unknown }: Known,
): { reached: Reach; known: ResolvedConfigs } {
  const known = new Map(configs);
  for (;;) {
    findings.drafts.length = 0;
    const reached = reach(ast, inputs, known, { all: inputs.target === undefined, reporter: findings });
    if (reached.needs.length === 0) return { reached, known };
    for (const need of reached.needs) {
      unknown.set(needKey(need), need);
      known.set(needKey(need), standIn(need));
    }
  }
}

function standIn({ platform }: ImageNeed): ImageConfig {
  return { platform, config: {}, diffIds: [], history: [{}] };
}

/** What would mend a finding of BuildKit's rules; some are told only the last line of their instruction. */
function fixOf(
  { rule, range, part, triggered }: FindingDraft,
  context: Pick<FixContext, 'ast' | 'facts' | 'positions'>,
): Fix | undefined {
  if (triggered === true) return undefined;
  const instruction = instructionAt(context.ast, range.start);
  return instruction === undefined ? undefined : fixFor(rule.name, { ...context, instruction, part });
}

/** The instruction that `line` belongs to. */
function instructionAt({ instructions }: Ast, line: number): Instruction | undefined {
  return instructions[lastWithin(instructions, ({ range }) => range.start > line)];
}

function askRules(rules: readonly FileRule[], findings: Findings, subject: () => Subject): void {
  if (rules.length === 0) return;
  const seen = subject();
  for (const rule of rules) {
    for (const draft of rule.find(seen)) {
      if (!findings.listens) return;
      findings.report({ rule, ...draft });
    }
  }
}

/** Findings with their places; BuildKit's order, which is that of the lines. */
function place(ast: Ast, drafts: readonly FindingDraft[]): Finding[] {
  const positions = new Positions({ text: ast.source.text, escape: ast.escape });
  const context = { ast, facts: new FileFacts(ast), positions };
  return drafts
    .map((draft): Finding => {
      const { rule, message, range, part } = draft;
      const { start, end } = positions.find(range, part);
      const fix = draft.fix ?? fixOf(draft, context);
      const { name, description, url } = rule;
      const page = url === undefined ? {} : { url };
      return { rule: name, description, message, ...page, range, start, end, ...(fix === undefined ? {} : { fix }) };
    })
    .toSorted((a, b) => a.range.start - b.range.start);
}
