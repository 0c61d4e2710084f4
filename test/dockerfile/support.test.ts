import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  createIgnoreMatcher,
  dump,
  parse,
  parseIgnore,
  type StepGraph,
  targetsOf,
} from '../../src/dockerfile/index.ts';
import { languagePage } from '../../tools/language-docs.ts';
import { graphOf, type GraphOptions } from './build-inputs.ts';
import { type Feature, type Outcome, sections } from './support-table.ts';

describe.each(sections)('$title', ({ features }) => {
  it.each(features)('$name', (feature) => {
    check(textOf(feature), feature.gives, feature.given?.inputs);
  });
});

describe('docs/dockerfile.md', () => {
  it('says what the table says (node tools/language-docs.ts writes it)', () => {
    const written = readFileSync(new URL('../../docs/dockerfile.md', import.meta.url), 'utf8');
    expect(written).toBe(languagePage(sections));
  });
});

function textOf({ example, gives }: Feature): string {
  return /^\s*\ufeff?FROM /im.test(example) || 'ast' in gives || 'excluded' in gives ? example : `FROM a\n${example}`;
}

function check(text: string, gives: Outcome, given: GraphOptions = {}): void {
  if ('excluded' in gives) return checkIgnore(text, gives);
  if ('description' in gives) return expect(targetsOf(parse(text)).targets.at(-1)?.description).toBe(gives.description);
  if ('ast' in gives) expect(dump(parse(text)).trim()).toBe(gives.ast);
  else if ('error' in gives) checkError(text, gives);
  else checkGraph(graphOf(text, given), gives as Parameters<typeof checkGraph>[1]);
}

function checkIgnore(text: string, { excluded, kept }: Extract<Outcome, { excluded: unknown }>): void {
  const matcher = createIgnoreMatcher(parseIgnore(text));
  const matches = (path: string) => matcher.matches(path);
  expect({ excluded: excluded.filter(matches), kept: kept.filter((path) => !matches(path)) }).toEqual({
    excluded,
    kept,
  });
}

function checkError(text: string, { error: message, at }: Extract<Outcome, { error: string }>): void {
  const position =
    at === undefined ? {} : { position: { line: Number(at.split(':')[0]), column: Number(at.split(':')[1]) } };
  expect(() => graphOf(text)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), ...position }),
  );
}

function checkGraph(
  graph: StepGraph,
  gives: Extract<Outcome, { steps: unknown } | { warning: unknown } | { step: unknown } | { config: unknown }>,
): void {
  if ('steps' in gives) expect(graph.steps.map(({ title }) => title)).toEqual(gives.steps);
  else if ('warning' in gives) {
    expect(graph.warnings.map(({ message }) => message)).toContainEqual(expect.stringContaining(gives.warning));
  } else if ('step' in gives) expect(graph.steps.at(-1)).toMatchObject(gives.step);
  else {
    const { Env: env, ...members } = gives.config;
    for (const [name, value] of Object.entries(members)) {
      expect(graph.image.config[name as keyof typeof graph.image.config]).toEqual(value);
    }
    if (env !== undefined) expect(graph.image.config.Env).toEqual(expect.arrayContaining(env as string[]));
  }
}
