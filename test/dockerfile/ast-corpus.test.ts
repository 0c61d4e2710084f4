import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dump, parse } from '../../src/dockerfile/index.ts';

/** Dockerfiles of public repositories with the dump of BuildKit's parser, where the judge's data lies beside the project. */
const archive = resolve('../shared/judge/data.tar.gz');
const corpus = existsSync(archive) ? describe : describe.skip;

corpus('the corpus (skipped without ../shared/judge/data.tar.gz)', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ast-corpus-'));
    const tar = spawnSync('tar', ['-xzf', archive, '-C', folder, '--wildcards', '*ast/*']);
    if (tar.status !== 0) throw new Error(String(tar.stderr));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is dumped as BuildKit dumps it', () => {
    const ast = join(folder, 'ast');
    const differing = readdirSync(ast).filter((id) => {
      const expected = readFileSync(join(ast, id, 'expected.txt'), 'utf8');
      return (
        dumped(join(ast, id, 'Dockerfile')) !== (/^(?:panic|goroutine)/.test(expected) ? undefined : expected.trim())
      );
    });
    expect(differing).toEqual([]);
  });
});

/** Undefined where the file is refused. */
function dumped(file: string): string | undefined {
  const bytes = readFileSync(file);
  try {
    return dump(parse(bytes)).trim();
  } catch {
    return undefined;
  }
}
