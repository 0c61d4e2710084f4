/** What docker gives a process whose image sets no PATH. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Secret variables take the place of others of their names: programs differ in which of two they see. */
export function withSecrets(env: readonly string[], secrets: readonly string[]): readonly string[] {
  const names = new Set(secrets.map(nameOf));
  return [...env.filter((entry) => !names.has(nameOf(entry))), ...secrets];
}

function nameOf(entry: string): string {
  return entry.slice(0, Math.max(0, entry.indexOf('=')));
}

/**
 * The whole environment of a step's process: what the build says, and PATH and HOME where it does not (docs/semantics.md, rule 40).
 * Nothing of our own environment gets in. An empty HOME counts as none, as it does for runc.
 */
export function completeEnvironment(env: readonly string[], home: string): readonly string[] {
  const withPath = has(env, 'PATH') ? env : [`PATH=${defaultPath}`, ...env];
  if (withPath.some((entry) => entry.startsWith('HOME=') && entry !== 'HOME=')) return withPath;
  return [...withPath.filter((entry) => entry !== 'HOME='), `HOME=${home}`];
}

/** The value of a variable; the last of several counts. */
export function variable(env: readonly string[], name: string): string | undefined {
  const entry = env.findLast((line) => line.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

function has(env: readonly string[], name: string): boolean {
  return variable(env, name) !== undefined;
}
