import type { Ast } from '../ast.ts';
import type { BuildInputs } from '../contract.ts';
import { DockerfileError } from '../error.ts';
import { parseGitUrl } from '../git-url.ts';
import { isUrlSource } from './git-source.ts';
import { sourcePath } from './paths.ts';
import type { PlannedCommand } from './plan.ts';
import { reach } from './reach.ts';

/** What a COPY or ADD takes from the main context. */
export interface ContextCopy {
  /** As in the step's sources. */
  readonly paths: readonly string[];
  readonly parents: boolean;
  readonly exclude: readonly string[];
}

/**
 * What the target's steps will take from the main context, as far as the text alone tells: those with variables, quotes or escapes
 * are left out, and what ONBUILD triggers add is not known yet. Nothing of a file that is wrong: whoever plans it says what.
 */
export function contextCopies(ast: Ast, inputs: BuildInputs): readonly ContextCopy[] {
  try {
    return reach(ast, inputs, new Map()).stages.flatMap(({ commands }) => commands.flatMap(copyOf));
  } catch (error) {
    if (error instanceof DockerfileError) return [];
    throw error;
  }
}

function copyOf({ command, sources: from }: PlannedCommand): readonly ContextCopy[] {
  if ((command.kind !== 'copy' && command.kind !== 'add') || from[0] !== undefined) return [];
  const { sources, files, parents, exclude } = command;
  const isPlain = files.length === 0 && [...sources, ...exclude].every((text) => !/[$"'`\\]/.test(text));
  const isHere = sources.every((source) => !isUrlSource(source) && parseGitUrl(source) === undefined);
  return isPlain && isHere ? [{ paths: sources.map((path) => sourcePath(path, { parents })), parents, exclude }] : [];
}
