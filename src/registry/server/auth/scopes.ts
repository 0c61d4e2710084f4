/** One resource and what may be done with it, as tokens have it in their `access` claim (distribution, docs/spec/auth/jwt.md). */
export interface ResourceAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const mostScopes = 64;

/** `repository:a/b:pull,push` of each of the texts, which may hold several with spaces between; what is none is left out. */
export function parseScopes(texts: readonly string[]): readonly ResourceAccess[] {
  return texts
    .flatMap((text) => text.split(' '))
    .slice(0, mostScopes)
    .map(parseScope)
    .filter((scope) => scope !== undefined);
}

function parseScope(text: string): ResourceAccess | undefined {
  // A name may have a colon in it, where it begins with a host and port.
  const [, type, name, actions] = /^([a-z]+)(?:\([a-z0-9-]+\))?:(.{1,300}):([a-z*]+(?:,[a-z*]+)*)$/.exec(text) ?? [];
  if (type === undefined || name === undefined || actions === undefined) return undefined;
  return { type, name, actions: [...new Set(actions.split(','))].slice(0, 8) };
}

/** The `access` claim of a token; what does not look like one grants nothing. */
export function accessClaim(value: unknown): readonly ResourceAccess[] {
  return (Array.isArray(value) ? value : []).flatMap((entry: Partial<Record<string, unknown>> | null) => {
    const { type, name, actions } = entry ?? {};
    if (typeof type !== 'string' || typeof name !== 'string' || !Array.isArray(actions)) return [];
    return [{ type, name, actions: actions.filter((action) => typeof action === 'string') }];
  });
}

export function grants(
  access: readonly ResourceAccess[],
  wanted: Omit<ResourceAccess, 'actions'>,
  action: string,
): boolean {
  return access.some(
    ({ type, name, actions }) =>
      type === wanted.type && name === wanted.name && (actions.includes(action) || actions.includes('*')),
  );
}
