import { describe, expect, it } from '@jest/globals';
import { applyFixes } from '../../../src/dockerfile/checks/apply-fixes.ts';
import type { FileRule } from '../../../src/dockerfile/checks/subject.ts';
import type { GraphOptions } from '../build-inputs.ts';
import { findingsOf } from './subject-of.ts';

export interface RuleCases {
  /** `«…»` is where findings point; it is taken out before the text is read. */
  readonly finds: readonly (readonly [what: string, marked: string, options?: GraphOptions])[];
  readonly ignores: readonly (readonly [what: string, text: string, options?: GraphOptions])[];
  /** The text when all fixes are in it; `same` where there is a finding without a fix. */
  readonly fixes?: readonly (readonly [what: string, text: string, fixed: string])[];
}

/** Declares the tests of one rule. */
export function describeRule(rule: FileRule, { finds, ignores, fixes = [] }: RuleCases): void {
  describe(rule.name, () => {
    it.each(finds)('finds %s', (_, marked, options = {}) => {
      const text = marked.replaceAll(/[«»]/g, '');
      expect(withMarks(text, rule, options)).toBe(marked);
    });

    it.each(ignores)('says nothing about %s', (_, text, options = {}) => {
      expect(findingsOf([rule], text, options)).toEqual([]);
    });

    if (fixes.length > 0) {
      it.each(fixes)('fixes %s', (_, text, fixed) => {
        const findings = findingsOf([rule], text);
        expect(findings).not.toEqual([]);
        const result = applyFixes(text, findings);
        expect(result.text).toBe(fixed === 'same' ? text : fixed);
        if (fixed !== 'same') expect(findingsOf([rule], result.text)).toEqual([]);
      });
    }
  });
}

function withMarks(text: string, rule: FileRule, options: GraphOptions): string {
  const lines = text.split('\n');
  const offset = ({ line, column }: { readonly line: number; readonly column: number }) =>
    lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0) + column - 1;
  const marks = findingsOf([rule], text, options).flatMap(({ start, end }) => [
    { at: offset(start), mark: '«' },
    { at: offset(end), mark: '»' },
  ]);
  return marks
    .toSorted((a, b) => b.at - a.at)
    .reduce((all, { at, mark }) => all.slice(0, at) + mark + all.slice(at), text);
}
