import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { applyFixes } from '../../../src/dockerfile/checks/apply-fixes.ts';
import { ownRules } from '../../../src/dockerfile/checks/own/own-rules.ts';
import { findingsOf } from './subject-of.ts';

const root = new URL('../../../', import.meta.url);
const index = readFileSync(new URL('docs/checks/README.md', root), 'utf8');

describe.each(ownRules)('the page of $name', ({ name, url = '' }) => {
  const page = readFileSync(new URL(url, root), 'utf8');

  it('is called after it, and in the index', () => {
    expect(url).toBe(`docs/checks/${name.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase()}.md`);
    expect(page.split('\n')[0]).toBe(`# ${name}`);
    expect(index).toContain(`[${name}](${url.replace('docs/checks/', '')})`);
    expect(page).toContain(`# check=skip=${name}`);
  });

  it('has a bad example in which just this rule finds something', () => {
    expect(new Set(rulesIn(example(page, 'bad')))).toEqual(new Set([name]));
  });

  it('has a good example in which no rule does', () => {
    expect(rulesIn(example(page, 'good'))).toEqual([]);
  });

  it('says whether there is a fix, which mends the bad example', () => {
    const text = example(page, 'bad');
    const findings = findingsOf(ownRules, text);
    const says = !page.includes('\nNothing: ');
    expect(findings.every(({ fix }) => (fix !== undefined) === says)).toBe(true);
    expect(rulesIn(applyFixes(text, findings).text)).toEqual(says ? [] : findings.map(() => name));
    expect(
      index
        .split('\n')
        .find((row) => row.includes(`[${name}]`))
        ?.endsWith('| ✓ |'),
    ).toBe(says);
  });
});

function example(page: string, kind: 'bad' | 'good'): string {
  const text = new RegExp(`\`\`\`dockerfile ${kind}\\n(.*?)\`\`\``, 's').exec(page)?.[1];
  if (text === undefined) throw new Error(`no ${kind} example`);
  return text;
}

function rulesIn(text: string): string[] {
  return findingsOf(ownRules, text).map(({ rule }) => rule);
}
