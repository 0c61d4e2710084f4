/**
 * What the comments above an instruction say of `name`: the rest of the first that begins with it and a space
 * (`# build compiles the sources`). Empty where none does, or the name is empty.
 */
export function docComment(comments: readonly string[], name: string): string {
  if (name === '') return '';
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
}
