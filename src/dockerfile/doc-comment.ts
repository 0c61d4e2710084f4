/** What the comments above a stage or ARG say of it: the rest of the first one that begins with its name. */
export function docComment(comments: readonly string[], name: string): string {
  if (name === '') return '';
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
}
