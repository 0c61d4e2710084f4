import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createIgnoreMatcher, decodeText, encodeText, needs, parse } from '../../src/dockerfile/index.ts';
import { expand } from '../../src/dockerfile/expand.ts';
import { dockerfiles, scripts, texts, words } from './arbitraries.ts';
import { graphOf, inputs } from './build-inputs.ts';
import { dockerfiles as oddDockerfiles } from './random-dockerfile.ts';
import { expectAnswer, readings, expectScript } from './readings.ts';

describe('whatever the text', () => {
  it('parse and the graph end with a result or an error of their own', () => {
    fc.assert(
      fc.property(texts, (text) => expectAnswer(() => graphOf(text), text)),
      { numRuns: 2000 },
    );
  });

  it('so they do behind FROM', () => {
    fc.assert(
      fc.property(texts, (text) => expectAnswer(() => graphOf(`FROM a AS x\n${text}`), `FROM a AS x\n${text}`)),
      { numRuns: 2000 },
    );
  });

  it('so they do where every instruction may be right', () => {
    fc.assert(
      fc.property(dockerfiles, (text) => expectAnswer(() => graphOf(text), text)),
      { numRuns: 1000 },
    );
  });

  it.each(Object.entries(readings))('%s: a result or an error with a place', (_, read) => {
    const files = fc.oneof(
      dockerfiles,
      oddDockerfiles,
      texts.map((text) => `FROM a AS x\n${text}`),
      scripts.map((script) => `FROM scratch\nCOPY a /d\nRUN <<END\n${script}\nEND\nRUN ${script}\n`),
    );
    fc.assert(
      fc.property(files, (text) => expectAnswer(() => read(parse(text)), text)),
      { numRuns: 100 },
    );
  });

  it('a shell script is read to its end, or as far as it is understood', () => {
    fc.assert(
      fc.property(fc.oneof(scripts, words), (text) => expectScript(text)),
      { numRuns: 3000 },
    );
  });

  it('any bytes parse or are refused with a place', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes, (input) => expectAnswer(() => needs(parse(input), inputs(), new Map()), input)),
      { numRuns: 1000 },
    );
  });

  it('decoding loses no byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (input) => {
        expect(Buffer.from(encodeText(decodeText(input)))).toEqual(Buffer.from(input));
      }),
    );
  });

  it('expansion ends', () => {
    const variables = new Map([
      ['a', 'aaaa/b'],
      ['x', ''],
    ]);
    fc.assert(
      fc.property(fc.oneof(texts, words), (text) => expectAnswer(() => expand(text, variables).words)),
      { numRuns: 2000 },
    );
  });

  it('quoting a value and expanding it gives the value', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const quoted = `"${text.replace(/["$\\]/g, '\\$&')}"`;
        expect(expand(quoted, new Map()).text).toBe(text);
      }),
    );
  });
});

describe('whatever the patterns', () => {
  const part = fc.constantFrom('a', 'b', '*', '**', '?', 'ab', '*b', 'a*');
  const pattern = fc
    .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 4 }))
    .map(([negated, parts]) => (negated ? '!' : '') + parts.join('/'));
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab', 'ba'), { minLength: 1, maxLength: 5 })
    .map((names) => names.join('/'));

  it('a folder that is passed over hides nothing that is included', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), path, (patterns, file) => {
        const matcher = createIgnoreMatcher(patterns);
        const names = file.split('/');
        const folders = names.slice(0, -1).map((_, index) => names.slice(0, index + 1).join('/'));
        if (!folders.every((folder) => matcher.mayHaveIncluded(folder))) expect(matcher.matches(file)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('each pattern alone agrees with a plain reading of it', () => {
    const plain = (written: string, file: string) => {
      const source = written
        .split('/')
        .map((component) => component.replaceAll('*', '[^/]*').replaceAll('?', '[^/]'))
        .join('/');
      return new RegExp(`^${source}(/|$)`).test(file);
    };
    const simple = fc
      .array(fc.constantFrom('a', 'b', '*', '?', 'ab', '*b', 'a*'), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(simple, path, (written, file) => {
        expect(createIgnoreMatcher([written]).matches(file)).toBe(plain(written, file));
      }),
      { numRuns: 2000 },
    );
  });
});
