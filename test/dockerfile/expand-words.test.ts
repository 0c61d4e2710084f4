import { describe, expect, it } from '@jest/globals';
import { expand } from '../../src/dockerfile/expand.ts';
import { variables } from './expand-inputs.ts';

const wordCases: readonly (readonly [rule: string, word: string, words: readonly string[]])[] = [
  ['blanks part words', 'a b  c', ['a', 'b', 'c']],
  ['blanks around count for nothing', '  a ', ['a']],
  ['nothing gives none', '   ', []],
  ['quotes hold a word together', '"a b" c', ['a b', 'c']],
  ['quotes join what is beside them', 'a"b c"d', ['ab cd']],
  ['empty quotes are no word', "'' a", ['a']],
  ['an escaped blank parts nothing', 'a\\ b c', ['a b', 'c']],
  ['a value is split', '$WORDS', ['one', 'two', 'three']],
  ['a quoted value is not', '"$WORDS"', ['one two  three']],
  ['a value joins what is beside it', 'x$WORDS', ['xone', 'two', 'three']],
  ['a default is split', '${NONE:-a b}', ['a', 'b']],
  ['what comes before a default stays', '80${NONE:-80}', ['8080']],
  ['an empty value is no word', 'a $EMPTY b', ['a', 'b']],
  ['a tab parts words', 'a\tb', ['a', 'b']],
  ['a line end parts words', 'a\nb', ['a', 'b']],
  ['blanks of any script part words', 'a\u2003b', ['a', 'b']],
  ['a non-breaking blank parts words', 'a\u00a0b', ['a', 'b']],
  ['single quotes hold a word together', "'a b' c", ['a b', 'c']],
  ['an escaped quote parts nothing', 'a\\"b c', ['a"b', 'c']],
  ['an escaped blank alone is a word', 'a \\  b', ['a', ' ', 'b']],
  ['a quoted blank is a word', '" "', [' ']],
  ['empty quotes beside a word add nothing', 'a""', ['a']],
  ['${x} is split', '${WORDS}', ['one', 'two', 'three']],
  ['a value joins what is behind it', '${WORDS}x', ['one', 'two', 'threex']],
  ['values join each other', '$WORDS$WORDS', ['one', 'two', 'threeone', 'two', 'three']],
  ['quotes of a value hold nothing together', '$QUOTED', ['"q"', "'s'"]],
  ['an escape of a value stays', '$BACK', ['a\\b']],
  ['a quoted default is split too', '${NONE:-"a b"}', ['a', 'b']],
  ['a default in quotes is not', '"${NONE:-a b}"', ['a b']],
  ['an alternative is split', '${NAME:+a b}', ['a', 'b']],
  ['what a pattern leaves is split', '${WORDS#one}', ['two', 'three']],
  ['a replacement can part words', '${NAME/e/ }', ['w', 'b']],
  ['an unset variable alone gives none', '$NONE', []],
  ['a lone dollar is a word', '$ a', ['$', 'a']],
  ['a heredoc mark holds its blanks', '<< A b', ['<< A', 'b']],
  ['a heredoc mark joins what is before it', 'a<<E', ['a<<E']],
];

describe('words', () => {
  it.each(wordCases)('%s: %s', (_, word, words) => {
    expect(expand(word, variables).words).toEqual(words);
  });
});

describe('options', () => {
  it('the escape may be a backtick', () => {
    expect(expand('C:\\x`$NAME', variables, { escape: '`' }).text).toBe('C:\\x$NAME');
  });

  it('a backtick is then no letter of its own', () => {
    expect(expand('``a', variables, { escape: '`' }).text).toBe('`a');
  });

  it('in double quotes the backtick escapes what the backslash did', () => {
    expect(expand('"`$NAME \\\\$NAME `x"', variables, { escape: '`' }).text).toBe('$NAME \\\\web `x');
  });

  it('in a pattern the backslash stays the escape', () => {
    expect(expand('${STAR#a\\*}', variables, { escape: '`' }).text).toBe('b*c');
    expect(expand('${STAR#a`*}', variables, { escape: '`' }).text).toBe('a*b*c');
  });

  it('quotes can be kept and still heeded', () => {
    expect(expand(`"a $NAME" '$NAME'`, variables, { quotes: 'keep' }).text).toBe(`"a web" '$NAME'`);
  });

  it('quotes can be plain characters', () => {
    expect(expand(`it's "$NAME"`, variables, { quotes: 'ignore' }).text).toBe(`it's "web"`);
  });

  it('escapes can be kept', () => {
    expect(expand('a\\ b', variables, { keepEscapes: true }).text).toBe('a\\ b');
  });

  it.each(['$NONE', '${NONE}', '${NONE:-x}', '${NONE/a/b}'])('%s can be left as it is', (word) => {
    expect(expand(word, variables, { keepUnset: true }).text).toBe(word);
  });

  it('names are told apart by whether they are set', () => {
    const { matched, unmatched } = expand('$NAME ${NONE:-$HOME} $EMPTY', variables);
    expect([[...matched].toSorted(), [...unmatched]]).toEqual([['EMPTY', 'HOME', 'NAME'], ['NONE']]);
  });
});
