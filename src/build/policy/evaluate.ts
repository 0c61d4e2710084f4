import { BuildError } from '../error.ts';
import type { AttributeConstraint, PolicyRule, Selector, SourcePolicy } from './source-policy.ts';

/** A source as policies see it: `docker-image://…`, `https://…`, `git://…`, with what else is known of it. */
export interface PolicedSource {
  readonly identifier: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A rule may lead to another; more than so many lead in a circle. */
const mostConversions = 100;

/**
 * What a policy makes of a source. Rules are asked in order; the first that converts it makes it another source, which is asked for
 * anew; else the last rule that allows or denies it decides.
 * @throws BuildError SOURCE_DENIED, POLICY_INVALID for rules that lead in a circle
 */
export function evaluate(policy: SourcePolicy, source: PolicedSource): PolicedSource {
  let current = source;
  for (let count = 0; count < mostConversions; count++) {
    const next = evaluateOnce(policy, current);
    if (next === undefined) return current;
    current = next;
  }
  throw new BuildError('POLICY_INVALID', `the source policy converts ${source.identifier} without end`, {
    exitCode: 125,
  });
}

/** What the first rule that converts it makes of it; undefined where none does. */
function evaluateOnce({ rules }: SourcePolicy, source: PolicedSource): PolicedSource | undefined {
  let denied = false;
  for (const rule of rules) {
    const match = matchOf(rule.selector, source);
    if (match === undefined) continue;
    if (rule.action !== 'CONVERT') {
      denied = rule.action === 'DENY';
      continue;
    }
    const converted = convert(rule, match, source);
    if (!isSame(converted, source)) return converted;
  }
  if (!denied) return undefined;
  throw new BuildError('SOURCE_DENIED', `the source policy denies ${source.identifier}`, {
    hint: 'use a source that it allows, or change the policy',
  });
}

function convert({ updates, selector }: PolicyRule, match: readonly string[], source: PolicedSource): PolicedSource {
  const wanted = updates?.identifier ?? (selector.matchType === 'EXACT' ? selector.identifier : source.identifier);
  const identifier =
    selector.matchType === 'EXACT'
      ? wanted
      : wanted.replace(/\$\{(\d{1,3})\}/g, (_, number) => match[Number(number)] ?? '');
  return { identifier, attributes: { ...source.attributes, ...updates?.attributes } };
}

function isSame(a: PolicedSource, b: PolicedSource): boolean {
  const names = new Set([...Object.keys(a.attributes), ...Object.keys(b.attributes)]);
  return a.identifier === b.identifier && [...names].every((name) => a.attributes[name] === b.attributes[name]);
}

/** What the parts of a pattern matched, the whole first; undefined where it does not match. */
function matchOf(selector: Selector, { identifier, attributes }: PolicedSource): readonly string[] | undefined {
  if (!selector.constraints.every((constraint) => holds(constraint, attributes[constraint.key]))) return undefined;
  if (selector.matchType === 'EXACT') return selector.identifier === identifier ? [identifier] : undefined;
  const { identifier: text } = selector;
  const pattern = selector.matchType === 'REGEX' ? expression(text) : new RegExp(`^${wildcardSource(text)}$`, 's');
  return pattern.exec(identifier)?.map((part) => part ?? '');
}

/** Each `*` and `?` is a group. */
function wildcardSource(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (each) => (each === '*' ? '(.*)' : each === '?' ? '(.)' : `\\${each}`));
}

function holds({ condition, value }: AttributeConstraint, found: string | undefined): boolean {
  if (condition === 'EQUAL') return found === value;
  if (condition === 'NOTEQUAL') return found !== value;
  return found !== undefined && expression(value).test(found);
}

/** The user's own file is no attacker, but a typing error in it must be told as one. */
function expression(text: string): RegExp {
  try {
    return new RegExp(text, 's');
  } catch (cause) {
    throw new BuildError('POLICY_INVALID', `the source policy has an invalid regular expression: ${text}`, {
      exitCode: 125,
      cause,
    });
  }
}
