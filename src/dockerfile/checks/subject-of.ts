import type { Instruction } from '../ast.ts';
import { needKey } from '../contract.ts';
import type { SourceRange } from '../graph.ts';
import { findContext } from '../image-name.ts';
import { Positions } from '../position.ts';
import type { Builder } from '../stage-graph/builder.ts';
import type { Base } from '../stage-graph/plan.ts';
import type { Subject, SubjectBase, SubjectStage } from './subject.ts';

/** The file as rules see it, out of what its stages came to. */
export function subjectOf(builder: Builder): Subject {
  const { plan } = builder;
  const { ast, file } = plan;
  const byLine = new Map(ast.instructions.map((instruction) => [instruction.range.start, instruction]));
  const bases = new Set(plan.stages.flatMap(({ base }) => (base.kind === 'stage' ? [base.index] : [])));
  const stages = file.stages.map((stage): SubjectStage => {
    const planned = plan.stages[stage.index];
    return {
      stage,
      instruction: instructionAt(byLine, stage.range),
      base: baseOf(builder, planned?.base ?? { kind: 'scratch' }),
      commands: stage.commands.map((command) => ({ command, instruction: instructionAt(byLine, command.range) })),
      isTarget: plan.target.index === stage.index,
      isBase: bases.has(stage.index),
      user: userOf(builder, stage.index),
    };
  });
  return { ast, positions: new Positions({ text: ast.source.text, escape: ast.escape }), stages };
}

function instructionAt(byLine: ReadonlyMap<number, Instruction>, { start }: SourceRange): Instruction {
  const found = byLine.get(start);
  if (found === undefined) throw new Error(`no instruction begins on line ${start}`);
  return found;
}

function baseOf({ configs, unknown, plan }: Builder, base: Base): SubjectBase {
  switch (base.kind) {
    case 'scratch':
    case 'tree':
      return { kind: base.kind };
    case 'stage':
      return { kind: 'stage', index: base.index };
    case 'image': {
      const key = needKey(base);
      const config = unknown.has(key) ? undefined : configs.get(key);
      const replaced = findContext(base.name, plan.inputs.contexts) !== undefined;
      return { kind: 'image', name: base.name, platform: base.platform, config, replaced };
    }
  }
}

function userOf({ states }: Builder, index: number): string | undefined {
  const state = states.get(index);
  if (state?.config.User !== undefined) return state.config.User;
  return state?.envKnown === true ? '' : undefined;
}
