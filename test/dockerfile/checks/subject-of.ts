import type { Finding, FindingDraft } from '../../../src/dockerfile/checks/finding.ts';
import type { FileRule, Subject, SubjectBase, SubjectStage } from '../../../src/dockerfile/checks/subject.ts';
import { expandText } from '../../../src/dockerfile/expand.ts';
import { parse, toStages } from '../../../src/dockerfile/index.ts';
import { Positions } from '../../../src/dockerfile/position.ts';
import { planStages } from '../../../src/dockerfile/stage-graph/plan.ts';
import { type GraphOptions, imageConfig, inputs } from '../build-inputs.ts';

/** A Dockerfile as rules see it; configs of images are known where `bases` has them. */
export function subjectOf(text: string, { bases = {}, ...changes }: GraphOptions = {}): Subject {
  const ast = parse(text);
  const { stages } = toStages(ast);
  const plan = planStages(ast, inputs(changes));
  const own = ast.instructions.slice(ast.instructions.findIndex(isFrom));
  const found: SubjectStage[] = [];
  for (const stage of stages) {
    const [instruction, ...rest] = own.splice(0, stage.commands.length + 1);
    const planned = plan.stages[stage.index];
    if (instruction === undefined || planned === undefined) throw new Error('stages do not fit the instructions');
    const base = baseOf(planned.base, bases);
    found.push({
      stage,
      instruction,
      base,
      commands: stage.commands.map((command, index) => ({ command, instruction: rest[index] ?? instruction })),
      isTarget: stage.index === plan.target.index,
      isBase: plan.stages.some((each) => each.base.kind === 'stage' && each.base.index === stage.index),
      user: userOf(stage.commands, base, { earlier: found, globals: plan.globals }),
    });
  }
  return { ast, positions: new Positions({ text: ast.source.text, escape: ast.escape }), stages: found };
}

function isFrom({ name }: { readonly name: string }): boolean {
  return name.toLowerCase() === 'from';
}

function baseOf(
  base: ReturnType<typeof planStages>['stages'][number]['base'],
  bases: NonNullable<GraphOptions['bases']>,
): SubjectBase {
  if (base.kind === 'scratch' || base.kind === 'tree') return { kind: base.kind };
  if (base.kind === 'stage') return base;
  const config = bases[base.name];
  return {
    kind: 'image',
    name: base.name,
    platform: base.platform,
    config: config === undefined ? undefined : imageConfig(config),
  };
}

interface Around {
  readonly earlier: readonly SubjectStage[];
  readonly globals: ReadonlyMap<string, string>;
}

function userOf(commands: SubjectStage['stage']['commands'], base: SubjectBase, { earlier, globals }: Around) {
  const last = commands.findLast(({ kind }) => kind === 'user');
  if (last?.kind === 'user') return expandText(last.value, globals);
  if (base.kind === 'stage') return earlier[base.index]?.user;
  if (base.kind !== 'image') return '';
  return base.config === undefined ? undefined : (base.config.config.User ?? '');
}

/** What rules of ours find in a file, as findings. */
export function findingsOf(rules: readonly FileRule[], text: string, options?: GraphOptions): Finding[] {
  const subject = subjectOf(text, options);
  return rules.flatMap((rule) => Array.from(rule.find(subject), (draft) => finding(subject, rule, draft)));
}

function finding({ positions }: Subject, { name, description }: FileRule, draft: Omit<FindingDraft, 'rule'>): Finding {
  const { message, range, part, fix } = draft;
  const { start, end } = positions.find(range, part);
  return { rule: name, description, message, range, start, end, ...(fix === undefined ? {} : { fix }) };
}
