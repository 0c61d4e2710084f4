import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { redact, Redactor, searchable } from '../../../src/build/history/redactor.ts';

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
  const text = (values: readonly string[]) => searchable(values.map((value) => Buffer.from(value)));

  it.each([
    ['a token with its line break', ['ab-1\n'], ['ab-1']],
    ['what is too short to be told from other text', ['abc', ''], []],
  ])('looks for %s', (_, values, found) => {
    expect(text(values)).toEqual(found);
  });

  it('looks for lines of a key', () => {
    expect(text(['-----BEGIN\nabcdef\n'])).toEqual(
      expect.arrayContaining(['-----BEGIN\nabcdef', '-----BEGIN', 'abcdef']),
    );
  });

  const secret = 'pass"wörd/with spaces?+';
  it.each([
    ['in base64', Buffer.from(secret).toString('base64')],
    ['with a line break in base64', Buffer.from(`${secret}\n`).toString('base64')],
    ['for HTTP', `Authorization: Basic ${Buffer.from(`me:${secret}`).toString('base64')}`],
    ['for HTTP, another user', `Authorization: Basic ${Buffer.from(`you:${secret}`).toString('base64')}`],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
    ['in a URL', `https://x/?token=${encodeURIComponent(secret)}&a=b`],
    ['in a form', new URLSearchParams({ token: secret }).toString()],
    ['in JSON', JSON.stringify({ secret })],
  ])('finds it %s', (_, shown) => {
    const safe = redact(shown, text([secret]));
    expect(safe).toContain('***');
    expect(safe.replaceAll('***', '').length).toBeLessThan(shown.length - secret.length + 8);
  });

  it('finds it in the lines of base64(1)', () => {
    const long = 'x7'.repeat(200);
    const lines =
      Buffer.from(long)
        .toString('base64')
        .match(/.{1,76}/g) ?? [];
    expect(redact(lines.join('\n'), text([long])).replace(/[^\w]/g, '').length).toBeLessThan(8);
  });

  it('finds one line that is longer than what is looked for at once', () => {
    const long = Array.from({ length: 2000 }, (_, at) => `${at}:`).join('');
    expect(through([`a ${long} b`], text([long]))).toMatch(/^a [*]+ b$/);
  });
});
