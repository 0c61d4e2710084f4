import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { graphPage } from '../../tools/graph-docs.ts';

it('docs/graph.md shows what the code prints (else: node tools/graph-docs.ts)', () => {
  const page = readFileSync(join(dirname(dirname(import.meta.dirname)), 'docs', 'graph.md'), 'utf8');
  expect(page.match(/```(?:json|mermaid) \w+\n./g)).toHaveLength(6);
  expect(graphPage(page)).toBe(page);
});
