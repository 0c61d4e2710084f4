const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const longestName = 255;

/**
 * The specification's expression for `<name>`. No component is empty, begins with a dot or an underscore, or holds a
 * slash, so that a name can be a path below the root and never leave it or meet a file of ours, which all begin with `_`.
 */
export function isRepositoryName(name: string): boolean {
  return name.length <= longestName && repositoryPattern.test(name);
}

export function isTagName(name: string): boolean {
  return tagPattern.test(name);
}
