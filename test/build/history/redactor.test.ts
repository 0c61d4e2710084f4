import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Redactor, searchable } from '../../../src/build/history/redactor.ts';

/** What comes out of pieces, with everything that is held back. */
function through(pieces: readonly string[], secrets: readonly string[]): string {
  const redactor = new Redactor(() => secrets);
  return pieces.map((piece) => redactor.take(piece)).join('') + redactor.rest();
}

describe('Redactor', () => {
  it.each([
    ['a secret', ['my hunter2 is out'], 'my *** is out'],
    ['one in two pieces', ['my hun', 'ter2 is out'], 'my *** is out'],
    ['one in pieces of a character', 'my hunter2 is out'.split(''), 'my *** is out'],
    ['the beginning of one that does not come to pass', ['hunt', 'ing'], 'hunting'],
    ['the beginning of one at the end', ['hunt'], 'hunt'],
    ['one after half of one', ['huhun', 'ter2'], 'hu***'],
  ])('takes out %s', (_, pieces, text) => {
    expect(through(pieces, ['hunter2'])).toBe(text);
  });

  it('holds nothing back that cannot become a secret', () => {
    expect(new Redactor(() => ['hunter2']).take('nothing of it\n')).toBe('nothing of it\n');
  });

  it('lets no secret through, however the text is cut, and loses nothing else', () => {
    const letter = fc.constantFrom('a', 'b', '-');
    const secret = fc.string({ unit: letter, minLength: 4, maxLength: 7 });
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: letter, maxLength: 6 })),
        fc.array(secret, { maxLength: 3 }),
        (pieces, secrets) => {
          const list = searchable(secrets.map((each) => Buffer.from(each)));
          const text = through(pieces, list);
          for (const each of list) expect(text).not.toContain(each);
          if (list.every((each) => !pieces.join('').includes(each))) expect(text).toBe(pieces.join(''));
        },
      ),
    );
  });
});

describe('searchable', () => {
  it.each([
    ['a token with its line break', ['token-1\n'], ['token-1']],
    ['lines of a key', ['-----BEGIN\nabcdef\n'], ['-----BEGIN\nabcdef', '-----BEGIN', 'abcdef']],
    ['what is too short to be told from other text', ['abc', ''], []],
  ])('looks for %s', (_, values, found) => {
    expect(searchable(values.map((value) => Buffer.from(value)))).toEqual(found);
  });
});
