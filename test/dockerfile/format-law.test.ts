import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Ast, DockerfileError, encodeText, format, type Instruction, parse } from '../../src/dockerfile/index.ts';
import { dockerfiles } from './random-dockerfile.ts';

/** All that an AST says but places, and the case of keywords. */
function meaningOf({ directives, instructions }: Ast) {
  return {
    directives: directives.map(({ name, value }) => ({ name, value })),
    instructions: instructions.map(meaningOfInstruction),
  };
}

function meaningOfInstruction({ name, flags, args, json, heredocs, comments, trigger }: Instruction): unknown {
  const keyword = name.toUpperCase();
  const words = args.map((arg, index) => (isKeyword(keyword, arg, index) ? arg.toUpperCase() : arg));
  const inner = trigger === undefined ? undefined : { name: trigger.name, trigger: meaningOfInstruction(trigger) };
  return { keyword, flags, args: words, json, heredocs, comments, inner };
}

function isKeyword(name: string, arg: string, index: number): boolean {
  return name === 'FROM' ? index === 1 && /^as$/i.test(arg) : name === 'HEALTHCHECK' && index === 0;
}

/** Undefined for what is no Dockerfile. */
function tryParse(text: string | Uint8Array): Ast | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
}

function expectLaw(text: string | Uint8Array): void {
  const ast = tryParse(text);
  if (ast === undefined) return;
  const formatted = format(ast);
  const again = parse(encodeText(formatted));
  expect(meaningOf(again)).toEqual(meaningOf(ast));
  expect(format(again)).toBe(formatted);
  expect(formatted).toMatch(/[^\n]\n$/);
}

const archive = resolve('../shared/judge/data.tar.gz');
const corpus = existsSync(archive) ? describe : describe.skip;

corpus('the corpus (skipped without ../shared/judge/data.tar.gz)', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'format-corpus-'));
    const tar = spawnSync('tar', ['-xzf', archive, '-C', folder, '--wildcards', '*ast/*/Dockerfile']);
    if (tar.status !== 0) throw new Error(String(tar.stderr));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('means the same when formatted, and formatting twice changes nothing', () => {
    const ids = readdirSync(join(folder, 'ast'));
    expect(ids.length).toBeGreaterThan(400);
    for (const id of ids) expectLaw(readFileSync(join(folder, 'ast', id, 'Dockerfile')));
  });
});

const noise = [
  ['FROM a\n', 'RUN ', 'COPY ', 'ENV ', 'ARG ', 'CMD ', 'HEALTHCHECK ', 'ONBUILD ', '--a=b ', '--', '<<E', '\nE\n'],
  ['# c\n', '#', '\\', '\\\n', '`', '\n', '\r', ' ', '  ', '\t', '\v', '\u00a0', '\u0085', '\ufeff', '\udc80', '\0'],
  ['["a", "b"]', '[', ']', ',', '"', "'", '=', '$', '${', '}', 'a', 'as', '# escape=`\n', '# syntax=x\n'],
].flat();

describe('whatever the Dockerfile', () => {
  it('it means the same when formatted, and formatting twice changes nothing', () => {
    fc.assert(fc.property(dockerfiles, expectLaw), { numRuns: 3000 });
  });

  it('most of the random ones are no nonsense', () => {
    const files = fc.sample(dockerfiles, 500);
    expect(files.filter((text) => tryParse(text) !== undefined).length).toBeGreaterThan(250);
  });

  it('so it is when there is no grammar in it', () => {
    const part = fc.constantFrom(...noise);
    const texts = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(fc.property(texts, expectLaw), { numRuns: 5000 });
  });
});
