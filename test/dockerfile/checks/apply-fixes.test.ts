import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyFixes } from '../../../src/dockerfile/checks/apply-fixes.ts';
import type { Edit, Finding } from '../../../src/dockerfile/checks/finding.ts';
import '../../property-seed.ts';

const text = 'FROM a\nRUN b\nCMD c\n';

describe('fixes', () => {
  it('go in together, whatever their order', () => {
    const findings = [fix('x', edit('CMD', 'ENTRYPOINT')), fix('y', edit('a', 'd'))];
    const result = applyFixes(text, findings);
    expect(result.text).toBe('FROM d\nRUN b\nENTRYPOINT c\n');
    expect(rules(result.applied)).toEqual(['y', 'x']);
    expect(result.left).toEqual([]);
  });

  it('may have several edits', () => {
    expect(applyFixes(text, [fix('x', edit('a', 'd'), edit('b', 'e'))]).text).toBe('FROM d\nRUN e\nCMD c\n');
  });

  it('leave findings without one', () => {
    const plain: Finding = { ...fix('x'), fix: { title: '', edits: [] } };
    const { fix: _, ...none } = plain;
    expect(applyFixes(text, [plain, none])).toEqual({ text, applied: [], left: [plain, none] });
  });

  it.each([
    ['overlaps one before it', [edit('RUN b', 'RUN d'), edit('b', 'e')], 'FROM a\nRUN d\nCMD c\n'],
    ['says the same', [edit('b', 'd'), edit('b', 'd')], 'FROM a\nRUN d\nCMD c\n'],
    ['inserts at the same place', [insert('b', 'd'), insert('b', 'e')], 'FROM a\nRUN db\nCMD c\n'],
    ['inserts within', [edit('RUN b', 'RUN d'), insert('b', 'e')], 'FROM a\nRUN d\nCMD c\n'],
  ])('leave one that %s', (_, edits, expected) => {
    const result = applyFixes(
      text,
      edits.map((each, index) => fix(String(index), each)),
    );
    expect(result.text).toBe(expected);
    expect(rules(result.applied)).toEqual(['0']);
    expect(rules(result.left)).toEqual(['1']);
  });

  it('take one that begins where another ends', () => {
    expect(applyFixes(text, [fix('x', edit('RUN', 'run')), fix('y', edit(' b', ' d'))]).text).toContain('run d');
  });

  it('leave one whole, where only one of its edits overlaps', () => {
    const result = applyFixes(text, [fix('x', edit('b', 'd')), fix('y', edit('b', 'e'), edit('c', 'e'))]);
    expect(result.text).toBe('FROM a\nRUN d\nCMD c\n');
  });

  it('leave one that makes the file unreadable, and take those behind it', () => {
    const findings = [fix('x', edit('a', 'd')), fix('y', edit('RUN', 'RUNS')), fix('z', edit('c', 'e'))];
    const result = applyFixes(text, findings);
    expect(result.text).toBe('FROM d\nRUN b\nCMD e\n');
    expect(rules(result.left)).toEqual(['y']);
  });

  const span = fc
    .tuple(fc.nat(text.length), fc.nat(4), fc.constantFrom('', 'x', 'FROM ', '\n', '"', '\\'))
    .map(([start, length, added]): Edit => ({ start, end: Math.min(start + length, text.length), text: added }));
  it('that are taken are all in the text, and nothing else is', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 6 }), (edits) => {
        const result = applyFixes(
          text,
          edits.map((each, index) => fix(String(index), each)),
        );
        expect(result.applied.length + result.left.length).toBe(edits.length);
        const taken = result.applied
          .flatMap((finding) => finding.fix?.edits ?? [])
          .toSorted((a, b) => b.start - a.start);
        const expected = taken.reduce((all, each) => all.slice(0, each.start) + each.text + all.slice(each.end), text);
        expect(result.text).toBe(expected);
      }),
    );
  });
});

function edit(old: string, added: string): Edit {
  const start = text.indexOf(old);
  return { start, end: start + old.length, text: added };
}

function insert(before: string, added: string): Edit {
  const start = text.indexOf(before);
  return { start, end: start, text: added };
}

function fix(rule: string, ...edits: readonly Edit[]): Finding {
  const place = { line: 1, column: 1 };
  const range = { start: 1, end: 1 };
  return { rule, description: '', message: '', range, start: place, end: place, fix: { title: '', edits } };
}

function rules(findings: readonly Finding[]): string[] {
  return findings.map(({ rule }) => rule);
}
