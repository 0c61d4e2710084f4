import type { Ast } from './ast.ts';
import type { Stage } from './instructions/command.ts';

/**
 * What the comments above an instruction say of `name`: the rest of the first that begins with it and a space
 * (`# build compiles the sources`). Empty where none does, or the name is empty.
 */
export function docComment(comments: readonly string[], name: string): string {
  if (name === '') return '';
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
}

/** What the comments right above each stage's FROM say of it; empty where they say nothing. */
export function stageDescriptions({ instructions }: Ast, stages: readonly Stage[]): string[] {
  const froms = instructions.filter(({ name }) => name.toLowerCase() === 'from');
  return stages.map(({ index, name = '' }) => docComment(froms[index]?.comments ?? [], name));
}
