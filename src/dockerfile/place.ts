import type { Ast, Escape, Source } from './ast.ts';
import { DockerfileError } from './error.ts';
import { excerpt } from './excerpt.ts';
import type { SourceRange } from './graph.ts';
import { positionOf } from './position.ts';

export interface Place {
  readonly source: Source;
  readonly escape: Escape;
  readonly range: SourceRange;
  /**
   * `parse`: the message opens with the line, as BuildKit's does for what it finds before building. `trigger`: the range
   * is that of the FROM whose base brought the instruction.
   */
  readonly kind: 'parse' | 'build' | 'trigger';
}

/** A place in a parsed file. */
export function placeIn(
  { source, escape }: Pick<Ast, 'source' | 'escape'>,
  range: SourceRange,
  kind: Place['kind'],
): Place {
  return { source, escape, range, kind };
}

/** Runs `work`; an error of ours that names no line yet gets `place`. */
export function at<T>(place: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DockerfileError) || error.range !== undefined) throw error;
    throw placed(error, place);
  }
}

/** The same error with its place in the file. */
function placed(error: DockerfileError, { source, escape, range, kind }: Place): DockerfileError {
  const prefix = kind === 'parse' ? `dockerfile parse error on line ${range.start}: ` : '';
  const part = kind === 'trigger' ? undefined : DockerfileError.partOf(error);
  const position = positionOf({ text: source.text, escape }, range, part);
  return new DockerfileError(error.code, prefix + error.message, {
    range,
    position,
    details: excerpt(source.text, range, { name: source.name, position }),
    hint: error.hint,
    exitCode: error.exitCode,
    cause: error,
  });
}
