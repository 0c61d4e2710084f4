import { BuildError } from '../error.ts';

/** What a build may be made of, in the JSON form of BuildKit's source policies; a lock file is one of these. */
export interface SourcePolicy {
  readonly rules: readonly PolicyRule[];
}

export interface PolicyRule {
  readonly action: 'ALLOW' | 'DENY' | 'CONVERT';
  readonly selector: Selector;
  /** Of CONVERT: what takes the source's place. */
  readonly updates?: Updates | undefined;
}

export interface Selector {
  /** A source as `identifierOf` writes it, or a pattern of such. */
  readonly identifier: string;
  readonly matchType: 'WILDCARD' | 'EXACT' | 'REGEX';
  readonly constraints: readonly AttributeConstraint[];
}

export interface AttributeConstraint {
  readonly key: string;
  readonly value: string;
  readonly condition: 'EQUAL' | 'NOTEQUAL' | 'MATCHES';
}

export interface Updates {
  /** `${1}` stands for what the first wildcard or group of the selector matched. */
  readonly identifier?: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

const actions = ['ALLOW', 'DENY', 'CONVERT'] as const;
const matchTypes = ['WILDCARD', 'EXACT', 'REGEX'] as const;
const conditions = ['EQUAL', 'NOTEQUAL', 'MATCHES'] as const;
const mostRules = 10_000;
const longest = 8192; // characters of a text

/**
 * Reads a source policy. Words may stand as numbers too, as some writers of the format have them.
 * @throws BuildError POLICY_INVALID, naming `file`
 */
export function parsePolicy(text: string, file: string): SourcePolicy {
  return new PolicyReader(file).policy(text);
}

class PolicyReader {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  policy(text: string): SourcePolicy {
    const document = this.#object(this.#json(text), 'the document');
    const { version = 1, rules = [] } = document;
    if (version !== 1 && version !== 0) this.#refuse(`version ${JSON.stringify(version)} is not known`);
    return { rules: this.#list(rules, 'rules').map((rule, at) => this.#rule(rule, `rules[${at}]`)) };
  }

  #rule(value: unknown, place: string): PolicyRule {
    const { action, selector, updates } = this.#object(value, place);
    return {
      action: this.#word(action, actions, `${place}.action`),
      selector: this.#selector(selector, `${place}.selector`),
      ...(updates === undefined || updates === null ? {} : { updates: this.#updates(updates, `${place}.updates`) }),
    };
  }

  #selector(value: unknown, place: string): Selector {
    const selector = this.#object(value, place);
    const matchType = selector['matchType'] ?? selector['match_type'];
    return {
      identifier: this.#text(selector['identifier'], `${place}.identifier`),
      matchType: this.#word(matchType, matchTypes, `${place}.matchType`),
      constraints: this.#list(selector['constraints'] ?? [], `${place}.constraints`).map((each, at) => {
        const { key, value: wanted, condition } = this.#object(each, `${place}.constraints[${at}]`);
        return {
          key: this.#text(key, `${place}.constraints[${at}].key`),
          value: this.#text(wanted, `${place}.constraints[${at}].value`),
          condition: this.#word(condition, conditions, `${place}.constraints[${at}].condition`),
        };
      }),
    };
  }

  #updates(value: unknown, place: string): Updates {
    const { identifier, attrs } = this.#object(value, place);
    const pairs = Object.entries(this.#object(attrs ?? {}, `${place}.attrs`));
    return {
      ...(identifier === undefined || identifier === ''
        ? {}
        : { identifier: this.#text(identifier, `${place}.identifier`) }),
      attributes: Object.fromEntries(pairs.map(([key, each]) => [key, this.#text(each, `${place}.attrs.${key}`)])),
    };
  }

  #json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      return this.#refuse('it is not JSON');
    }
  }

  #object(value: unknown, place: string): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    return this.#refuse(`${place} is not an object`);
  }

  #list(value: unknown, place: string): readonly unknown[] {
    if (!Array.isArray(value)) return this.#refuse(`${place} is not a list`);
    return value.length <= mostRules ? value : this.#refuse(`${place} has more than ${mostRules} entries`);
  }

  #text(value: unknown, place: string): string {
    if (typeof value !== 'string') return this.#refuse(`${place} is not a text`);
    return value.length <= longest ? value : this.#refuse(`${place} is longer than ${longest} characters`);
  }

  /** Absent means the first. */
  #word<Word extends string>(value: unknown, words: readonly Word[], place: string): Word {
    const at = value === undefined ? 0 : typeof value === 'number' ? value : words.indexOf(value as Word);
    return words[at] ?? this.#refuse(`${place} is none of ${words.join(', ')}`);
  }

  #refuse(why: string): never {
    throw new BuildError('POLICY_INVALID', `the source policy ${this.#file} cannot be used: ${why}`, { exitCode: 125 });
  }
}
