import type { Ast } from '../ast.ts';
import type { BuildInputs } from '../contract.ts';
import { DockerfileError } from '../error.ts';
import { parseBoolean } from '../instructions/fields.ts';
import { quote } from '../quote.ts';
import { cut, trim } from '../text.ts';
import type { Rule } from './rule.ts';

/** What `# check=` says: which rules are asked, and whether a finding fails the build. */
export interface CheckConfig {
  readonly skip: 'all' | ReadonlySet<string>;
  /** Experimental rules that are asked all the same. */
  readonly experimental: 'all' | ReadonlySet<string>;
  readonly error: boolean;
}

export const noCheckConfig: CheckConfig = { skip: new Set(), experimental: new Set(), error: false };

/**
 * What holds for the whole file: the build argument BUILDKIT_DOCKERFILE_CHECK if given, else the directive.
 * @throws DockerfileError SYNTAX
 */
export function checkConfigOf({ directives }: Ast, { buildArgs }: Pick<BuildInputs, 'buildArgs'>): CheckConfig {
  const directive = directives.find(({ name }) => name === 'check');
  // BuildKit reads a directive up to its first blank.
  const written = cut(directive?.value ?? '', ' ')?.[0] ?? directive?.value ?? '';
  const given = Object.hasOwn(buildArgs, 'BUILDKIT_DOCKERFILE_CHECK')
    ? buildArgs['BUILDKIT_DOCKERFILE_CHECK']
    : undefined;
  return parseCheckConfig(given ?? written);
}

/**
 * Reads `skip=A,B;error=true;experimental=all`.
 * @throws DockerfileError SYNTAX
 */
export function parseCheckConfig(text: string): CheckConfig {
  let config = noCheckConfig;
  if (trim(text) === '') return config;
  for (const option of splitOptions(trim(text))) {
    const [written, value] = cut(option, '=') ?? [option, undefined];
    const key = trim(written);
    if (value === undefined) throw invalid(`invalid check option ${quote(option)}`);
    if (key === 'skip' || key === 'experimental') config = { ...config, [key]: ruleNames(trim(value)) };
    else if (key === 'error') {
      const error = parseBoolean(trim(value));
      if (error === undefined)
        throw invalid(`failed to parse check option ${quote(option)}: ${quote(trim(value))} is no boolean`);
      config = { ...config, error };
    } else throw invalid(`invalid check option ${quote(key)}`);
  }
  return config;
}

/** At most three options; a further semicolon belongs to the last one. */
function splitOptions(text: string): string[] {
  const parts = text.split(';');
  return parts.length <= 3 ? parts : [...parts.slice(0, 2), parts.slice(2).join(';')];
}

function ruleNames(value: string): CheckConfig['skip'] {
  return value === 'all' ? 'all' : new Set(value.split(',').map(trim));
}

/** What a comment above an instruction says: `# check=skip=Rule`. One that cannot be read says nothing. */
export function commentConfig(comments: readonly string[]): CheckConfig {
  for (const comment of comments) {
    const [, value] = /^check\s*=\s*(\S.*)$/i.exec(comment) ?? [];
    if (value === undefined) continue;
    try {
      return parseCheckConfig(value.split(' ')[0] ?? '');
    } catch {
      return noCheckConfig;
    }
  }
  return noCheckConfig;
}

/** A config that skips these rules too. */
export function withSkipped(config: CheckConfig, names: readonly string[]): CheckConfig {
  return { ...config, skip: names.includes('all') ? 'all' : union(config.skip, new Set(names)) };
}

function union(a: CheckConfig['skip'], b: CheckConfig['skip']): CheckConfig['skip'] {
  return a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b]);
}

/** Whether a rule is asked where all of these configs hold. */
export function isAsked({ name, experimental = false }: Rule, configs: readonly CheckConfig[]): boolean {
  return experimental
    ? configs.some((config) => holds(config.experimental, name))
    : !configs.some((config) => holds(config.skip, name));
}

function holds(names: CheckConfig['skip'], name: string): boolean {
  return names === 'all' || names.has(name);
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('SYNTAX', `failed to parse check options: ${message}`, {
    hint: 'it is written # check=skip=RULE,RULE|all;error=true;experimental=RULE|all',
  });
}
