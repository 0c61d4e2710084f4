/**
 * A value in a place where the Dockerfile language expands variables: in a string `$NAME` and `${NAME:-x}` do, and
 * everything else (quotes, blanks, backslashes) stands for itself. In a `literal` the dollar does so too.
 */
export type DockerfileText = string | Literal;

/** A text in which `$` is no variable; made by `literal`. */
export interface Literal {
  readonly literal: string;
}

/** `text` without variables: `literal('$5')` is two characters. */
export function literal(text: string): Literal {
  return { literal: text };
}

/** The characters of a value. */
export function charactersOf(value: DockerfileText): string {
  return typeof value === 'string' ? value : value.literal;
}
