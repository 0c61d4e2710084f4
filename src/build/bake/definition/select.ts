import { BuildError } from '../../error.ts';
import { cleanPath } from './paths.ts';
import { applyOverrides, type Overrides, parseOverrides } from './overrides.ts';
import { isPattern, matchesPattern } from './pattern.ts';
import { type Definition, type Group, mergeTargets, normalizeTarget, type Target, unique } from './target.ts';

/** What is to be built: each target with all that it inherits, and with what `--set` says. */
export interface Selection {
  readonly targets: ReadonlyMap<string, Target>;
  /** Those that were chosen by a group's name, and `default` for what was named. */
  readonly groups: ReadonlyMap<string, Group>;
  /** Targets that are built only because others stand on them. */
  readonly linked: ReadonlySet<string>;
}

export interface SelectOptions {
  /** Names of targets and groups, or patterns; `default` unless given. */
  readonly names: readonly string[];
  /** `--set` */
  readonly overrides: readonly string[];
  lookup(name: string): string | undefined;
}

/**
 * Chooses what was named, and what that needs.
 * @throws BuildError BAKE_INVALID, BAKE_NOT_FOUND
 */
export function selectTargets(definition: Definition, options: SelectOptions): Selection {
  const wanted = options.names.length === 0 ? ['default'] : options.names.map((name) => name.replaceAll('.', '_'));
  const names = unique(wanted.flatMap((name) => matchNames(definition, name)));
  const resolver = new Resolver(
    definition,
    parseOverrides(options.overrides, definition.targets, (name) => options.lookup(name)),
  );
  const targets = new Map<string, Target>();
  const groups = new Map<string, Group>();
  for (const name of names) {
    const members = resolver.members(name);
    for (const target of members.targets) targets.set(target, resolver.target(target));
    for (const group of members.groups) groups.set(group.name, group);
  }
  addDefault(groups, names);
  const linked = new Set<string>();
  for (const name of Array.from(targets.keys())) resolver.link(name, targets, linked, []);
  return { targets, groups, linked };
}

function matchNames({ groups, targets }: Definition, pattern: string): readonly string[] {
  if (!isPattern(pattern)) return [pattern];
  const found = [...groups, ...targets].map(({ name }) => name).filter((name) => matchesPattern(pattern, name));
  if (found.length === 0)
    throw new BuildError('BAKE_NOT_FOUND', `could not find any target matching ${JSON.stringify(pattern)}`);
  return found;
}

/** What was named by itself is the group `default` of this time. */
function addDefault(groups: Map<string, Group>, names: readonly string[]): void {
  for (const name of names) {
    const group = groups.get('default');
    if (group !== undefined && name === 'default') continue;
    groups.set('default', { name: 'default', ...group, targets: [...(group?.targets ?? []), name] });
  }
  const group = groups.get('default');
  if (group !== undefined) groups.set('default', { ...group, targets: [...new Set(group.targets)].sort() });
}

class Resolver {
  readonly #definition: Definition;
  readonly #overrides: Overrides;

  constructor(definition: Definition, overrides: Overrides) {
    this.#definition = definition;
    this.#overrides = overrides;
  }

  members(name: string, visited: Set<string> = new Set()): { targets: readonly string[]; groups: readonly Group[] } {
    const group = this.#definition.groups.find((each) => each.name === name);
    if (group === undefined) return { targets: [name], groups: [] };
    if (visited.has(name)) return { targets: [], groups: [] };
    visited.add(name);
    const inner = group.targets.map((each) => this.members(each, visited));
    // A group may hold a target of its own name.
    const targets = inner.flatMap((each, index) =>
      each.targets.length > 0 ? each.targets : [group.targets[index] ?? ''],
    );
    return {
      targets: [...new Set(targets)],
      groups: [group, ...inner.flatMap(({ groups }) => groups)],
    };
  }

  target(name: string): Target {
    const { inherits: _, ...target } = this.#inherited(name, new Map());
    const { dockerfile = '' } = target;
    return {
      ...target,
      context: cleanContext(target.context ?? '.'),
      dockerfile: dockerfile === '' ? 'Dockerfile' : dockerfile,
    };
  }

  /** A target that is being resolved gives nothing to itself. */
  #inherited(name: string, visited: Map<string, Target | undefined>): Target {
    const known = visited.get(name);
    if (known !== undefined || visited.has(name)) return known ?? { name };
    visited.set(name, undefined);
    const own = this.#definition.targets.find((each) => each.name === name);
    if (own === undefined) throw this.#missing(name);
    let result: Target = { name };
    for (const parent of own.inherits ?? []) result = mergeTargets(result, this.#inherited(parent, visited));
    const merged = applyOverrides(mergeTargets(result, own), this.#overrides.get(name));
    const target = normalizeTarget(merged);
    visited.set(name, target);
    return target;
  }

  #missing(name: string): BuildError {
    const names = this.#definition.targets.map((each) => each.name);
    const hint =
      names.length === 0
        ? 'the definition has no targets'
        : `there are ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`;
    return new BuildError('BAKE_NOT_FOUND', `failed to find target ${name}`, { hint });
  }

  /** Adds the targets that stand in for contexts of `name`. */
  link(name: string, targets: Map<string, Target>, linked: Set<string>, path: readonly string[]): void {
    const visited = [...path, name];
    for (const value of Object.values(targets.get(name)?.contexts ?? {})) {
      if (!value.startsWith('target:')) continue;
      const needed = value.slice('target:'.length);
      if (needed === name) throw new BuildError('BAKE_INVALID', `target ${needed} cannot link to itself`);
      if (visited.includes(needed))
        throw new BuildError(
          'BAKE_INVALID',
          `infinite loop from ${name} to ${needed}: ${[...visited, needed].join(' → ')}`,
        );
      if (!targets.has(needed)) {
        targets.set(needed, { ...this.target(needed), output: [{ type: 'cacheonly' }] });
        linked.add(needed);
      }
      this.link(needed, targets, linked, visited);
      this.#inheritEntitlements(name, needed, targets);
    }
  }

  #inheritEntitlements(name: string, needed: string, targets: Map<string, Target>): void {
    const [target, other] = [targets.get(name), targets.get(needed)];
    if (target === undefined || other === undefined) return;
    const entitlements = [...new Set([...(target.entitlements ?? []), ...(other.entitlements ?? [])])];
    if (entitlements.length > 0) targets.set(name, { ...target, entitlements });
    const [own, given] = [target.platforms ?? [], other.platforms ?? []];
    if (own.length > 1 && given.length > 1 && own.some((platform) => !given.includes(platform)))
      throw new BuildError(
        'BAKE_INVALID',
        `target ${needed} cannot be used by ${name}: it is built for ${given.join(', ')}, not for all of ${own.join(', ')}`,
      );
  }
}

/** As buildx shows it: the shortest path that means the same. */
function cleanContext(context: string): string {
  if (context.startsWith('cwd://')) return cleanPath(context.slice('cwd://'.length));
  return isRemote(context) || /^(?:target:|docker-image:|oci-layout:)/.test(context) ? context : cleanPath(context);
}

/** A repository, a tarball or a file of the net. */
export function isRemote(text: string): boolean {
  return /^(?:https?|git|ssh):\/\/|^git@|^github\.com\//.test(text);
}
