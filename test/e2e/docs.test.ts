import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { commandPage } from '../../tools/command-docs.ts';

const root = dirname(dirname(import.meta.dirname));

it('docs/commands.md says what the commands declare (else: node tools/command-docs.ts)', () => {
  const manifest = readFileSync(join(root, 'oclif.manifest.json'), 'utf8');
  expect(readFileSync(join(root, 'docs', 'commands.md'), 'utf8')).toBe(commandPage(manifest));
});
