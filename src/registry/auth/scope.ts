/** What may be done with a repository, in the words of the token protocol. */
export type Action = 'pull' | 'push' | '*';

/** `repository:library/debian:pull,push` (distribution, docs/spec/auth/scope.md). */
export function repositoryScope(repository: string, actions: readonly Action[]): string {
  return `repository:${repository}:${actions.join(',')}`;
}

export const catalogScope = 'registry:catalog:*';

/**
 * One list without doubles: actions on the same resource are put together, in the order in which they first came. The
 * registry's own wish goes first, since some servers read only the first.
 */
export function unionScopes(...lists: readonly (readonly string[])[]): readonly string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of lists.flat()) {
    const at = scope.lastIndexOf(':');
    if (at <= 0) continue;
    const resource = scope.slice(0, at);
    const known = actions.get(resource) ?? new Set();
    for (const action of scope.slice(at + 1).split(',')) if (action !== '') known.add(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, wanted]) => `${resource}:${[...wanted].join(',')}`);
}

/** The scopes of a challenge: `scope="repository:a:pull repository:b:pull"`. */
export function splitScopes(value: string | undefined): readonly string[] {
  return (value ?? '').split(/\s+/).filter(Boolean).slice(0, 32);
}

/** A key for a set of scopes, whatever their order. */
export function scopeKey(scopes: readonly string[]): string {
  return scopes
    .map((scope) => {
      const at = scope.lastIndexOf(':') + 1;
      return scope.slice(0, at) + scope.slice(at).split(',').sort().join(',');
    })
    .sort()
    .join(' ');
}
