import { describe, expect, it } from '@jest/globals';
import { expand } from '../../src/dockerfile/expand.ts';

const variables = new Map(
  Object.entries({
    HOME: '/home/ann',
    EMPTY: '',
    NAME: 'web',
    VERSION: '1.22.3-rc.1',
    FILE: 'archive.tar.gz',
    PATHS: '/a/b/c/b/d',
    WORDS: 'one two  three',
    QUOTED: '"q" \'s\'',
    DOLLAR: '$NAME',
    STAR: 'a*b*c',
    SLASHED: 'a/b}c',
    BACK: 'a\\b',
    LINES: 'one\ntwo',
    WORLD: 'Ölpfad→ü',
    _x9: 'under',
  }),
);

const cases: readonly (readonly [rule: string, word: string, result: string])[] = [
  ['a word without marks stays', 'plain', 'plain'],
  ['an empty word stays', '', ''],
  ['blanks stay', ' a  b ', ' a  b '],
  ['single quotes go', "a'b'c", 'abc'],
  ['double quotes go', 'a"b"c', 'abc'],
  ['a single quote in double quotes stays', '"it\'s"', "it's"],
  ['a double quote in single quotes stays', '\'say "x"\'', 'say "x"'],
  ['empty quotes leave nothing', '\'\'""', ''],
  ['an escaped quote stays', "it\\'s", "it's"],
  ['an escape goes', 'a\\bc', 'abc'],
  ['an escaped escape stays', 'a\\\\b', 'a\\b'],
  ['an escape at the end goes', 'end\\', 'end'],
  ['escapes mean nothing in single quotes', "'a\\b'", 'a\\b'],
  ['an escape ends no single quote', "'a\\'", 'a\\'],
  ['in double quotes an escape before a letter stays', '"a\\nb"', 'a\\nb'],
  ['in double quotes an escaped quote loses its escape', '"a\\"b"', 'a"b'],
  ['in double quotes an escaped dollar loses its escape', '"\\$NAME"', '$NAME'],
  ['in double quotes an escaped escape becomes one', '"a\\\\b"', 'a\\b'],
  ['$x', '$NAME', 'web'],
  ['${x}', '${NAME}', 'web'],
  ['$x within a word', 'a-$NAME-b', 'a-web-b'],
  ['$x ends before a dot', '$NAME.com', 'web.com'],
  ['$x takes underscores and digits', '$_x9', 'under'],
  ['$x takes letters as far as they go', '$NAMEx', ''],
  ['${x} ends where it says', '${NAME}x', 'webx'],
  ['two side by side', '$NAME$NAME', 'webweb'],
  ['$x in double quotes', '"$NAME"', 'web'],
  ['$x in single quotes stays', "'$NAME'", '$NAME'],
  ['$x between quotes of both kinds', '"a\'$NAME\'"', "a'web'"],
  ['an escaped dollar', '\\$NAME', '$NAME'],
  ['an escaped escape before a dollar', '\\\\$NAME', '\\web'],
  ['an escaped brace form', '\\${NAME}', '${NAME}'],
  ['an unset variable is empty', 'a${NONE}b', 'ab'],
  ['an empty variable is empty', 'a${EMPTY}b', 'ab'],
  ['a value is not expanded again', '$DOLLAR', '$NAME'],
  ['quotes of a value stay', '$QUOTED', '"q" \'s\''],
  ['a lone dollar stays', 'a$', 'a$'],
  ['a dollar before a dot stays', '$.', '$.'],
  ['a dollar before a blank stays', '$ x', '$ x'],
  ['names are case-sensitive', '$name', ''],
  ['letters of any script are a name', '$ÜÖ', ''],
  ['a value of any script', '$WORLD', 'Ölpfad→ü'],
  ['$1 is empty', 'a$1b', 'ab'],
  ['$12 is one number', 'a$12b', 'ab'],
  ['${1} is empty', 'a${1}b', 'ab'],
  ['${1:-x}', '${1:-x}', 'x'],
  ['$@ is empty', 'a$@b', 'ab'],
  ['$* is empty', 'a$*b', 'ab'],
  ['$# is empty', 'a$#b', 'ab'],
  ['$? is empty', 'a$?b', 'ab'],
  ['$- is empty', 'a$-b', 'ab'],
  ['$$ is empty', 'a$$b', 'ab'],
  ['$! is empty', 'a$!b', 'ab'],
  ['$0 is empty', 'a$0b', 'ab'],
  ['${?} is empty', '${?}', ''],
  ['${@:-x}', '${@:-x}', 'x'],
  ['${x:-w} of a set variable', '${NAME:-other}', 'web'],
  ['${x:-w} of an empty one', '${EMPTY:-other}', 'other'],
  ['${x:-w} of an unset one', '${NONE:-other}', 'other'],
  ['${x:-} of an unset one', 'a${NONE:-}b', 'ab'],
  ['${x-w} of a set variable', '${NAME-other}', 'web'],
  ['${x-w} of an empty one', '[${EMPTY-other}]', '[]'],
  ['${x-w} of an unset one', '${NONE-other}', 'other'],
  ['${x:+w} of a set variable', '${NAME:+other}', 'other'],
  ['${x:+w} of an empty one', '[${EMPTY:+other}]', '[]'],
  ['${x:+w} of an unset one', '[${NONE:+other}]', '[]'],
  ['${x+w} of a set variable', '${NAME+other}', 'other'],
  ['${x+w} of an empty one', '${EMPTY+other}', 'other'],
  ['${x+w} of an unset one', '[${NONE+other}]', '[]'],
  ['${x:?m} of a set variable', '${NAME:?gone}', 'web'],
  ['${x?m} of an empty one', '[${EMPTY?gone}]', '[]'],
  ['a default with a variable', '${NONE:-$NAME}', 'web'],
  ['a default with braces', '${NONE:-${NAME}}', 'web'],
  ['a default in a default', '${NONE:-${NIL:-deep}}', 'deep'],
  ['a default that is not wanted is not shown', '${NAME:-${NONE}}', 'web'],
  ['a default with quotes', '${NONE:-"a b"}', 'a b'],
  ['a default with single quotes keeps braces', "${NONE:-'}'}", '}'],
  ['a default with an escaped brace', '${NONE:-a\\}b}', 'a}b'],
  ['a default with an escaped dollar', '${NONE:-\\$NAME}', '$NAME'],
  ['a default with a colon', '${NONE:-a:b}', 'a:b'],
  ['a default with a dash', '${NONE:--x}', '-x'],
  ['a default with an open brace', '${NONE:-{x}', '{x'],
  ['what follows the brace stays', '${NONE:-x}}', 'x}'],
  ['an alternative with its own variable', '${NAME:+v-${NAME}}', 'v-web'],
  ['${x#p} plain', '${FILE#archive.}', 'tar.gz'],
  ['${x#p} without a match', '${FILE#zip}', 'archive.tar.gz'],
  ['${x#p} only at the front', '${FILE#tar}', 'archive.tar.gz'],
  ['${x#p} takes the shortest', '${FILE#*.}', 'tar.gz'],
  ['${x##p} takes the longest', '${FILE##*.}', 'gz'],
  ['${x##p} with a slash', '${PATHS##*/}', 'd'],
  ['${x#?} takes one character', '${NAME#?}', 'eb'],
  ['${x#??} takes two', '${NAME#??}', 'b'],
  ['${x#*} takes nothing', '${NAME#*}', 'web'],
  ['${x##*} takes all', '[${NAME##*}]', '[]'],
  ['${x#p} of an unset variable', '[${NONE#a}]', '[]'],
  ['${x#p} of an empty one', '[${EMPTY#*}]', '[]'],
  ['${x#p} with nothing to take', '${NAME#}', 'web'],
  ['${x#p} with an escaped star', '${STAR#a\\*}', 'b*c'],
  ['${x#p} with a variable pattern', '${PATHS#$EMPTY/a}', '/b/c/b/d'],
  ['${x#p} with regular expression marks', '${VERSION#1.22}', '.3-rc.1'],
  ['a dot is only a dot', '${VERSION#1?22?}', '3-rc.1'],
  ['a star stops at a line end', '${LINES##*o}', 'ne\ntwo'],
  ['${x#p} with a letter of two bytes', '${WORLD#Ö}', 'lpfad→ü'],
  ['${x#?} takes a letter of two bytes', '${WORLD#?}', 'lpfad→ü'],
  ['${x%p} plain', '${FILE%.gz}', 'archive.tar'],
  ['${x%p} without a match', '${FILE%.zip}', 'archive.tar.gz'],
  ['${x%p} takes the shortest', '${FILE%.*}', 'archive.tar'],
  ['${x%%p} takes the longest', '${FILE%%.*}', 'archive'],
  ['${x%p} with a slash', '${PATHS%/*}', '/a/b/c/b'],
  ['${x%%p} with two stars', '${PATHS%%/b*d}', '/a'],
  ['${x%?} takes one character', '${NAME%?}', 'we'],
  ['${x%p} of a version', '${VERSION%-rc*}', '1.22.3'],
  ['${x%p} with an escaped star', '${STAR%\\*c}', 'a*b'],
  ['${x%p} with a mark of three bytes', '${WORLD%→?}', 'Ölpfad'],
  ['${x/p/r} takes the first', '${PATHS/b/X}', '/a/X/c/b/d'],
  ['${x//p/r} takes all', '${PATHS//b/X}', '/a/X/c/X/d'],
  ['${x/p/r} without a match', '${PATHS/z/X}', '/a/b/c/b/d'],
  ['${x/p/} deletes', '${VERSION/-rc.1/}', '1.22.3'],
  ['${x//p/} deletes all', '${VERSION//./}', '1223-rc1'],
  ['${x/p/r} with a star', '${FILE/.*/.zip}', 'archive.zip'],
  ['${x//p/r} with a question mark', '${NAME//?/x}', 'xxx'],
  ['an escaped slash in the pattern', '${PATHS//\\//:}', ':a:b:c:b:d'],
  ['an escaped brace in the pattern', '${SLASHED/\\}/X}', 'a/bXc'],
  ['an escaped star in the pattern', '${STAR//\\*/+}', 'a+b+c'],
  ['an escaped question mark matches only itself', '${NAME/\\?/X}', 'web'],
  ['an escaped escape in the pattern', '${BACK/\\\\/-}', 'a-b'],
  ['a variable in the replacement', '${PATHS/b/$NAME}', '/a/web/c/b/d'],
  ['a dollar of the replacement means nothing', "${NAME/e/'$1'}", 'w$1b'],
  ['a replacement of an unset variable', '[${NONE/a/b}]', '[]'],
  ['a replacement within a word', 'x-${NAME/e/E}-y', 'x-wEb-y'],
  ['a heredoc mark keeps its blanks', 'cat << EOF', 'cat << EOF'],
  ['a single angle stays', 'a < b', 'a < b'],
];

describe('expand', () => {
  it.each(cases)('%s: %s', (_, word, result) => {
    expect(expand(word, variables).text).toBe(result);
  });
});

const failures: readonly (readonly [rule: string, word: string, message: string])[] = [
  ['an open single quote', "a'b", 'unexpected end of statement while looking for matching single-quote'],
  ['an open double quote', 'a"b', 'unexpected end of statement while looking for matching double-quote'],
  ['a double quote closed by an escaped one', '"a\\"', 'looking for matching double-quote'],
  ['nothing in braces', '${}', 'syntax error: bad substitution'],
  ['a brace in braces', '${{NAME}', 'syntax error: bad substitution'],
  ['a colon first', '${:-x}', 'syntax error: bad substitution'],
  ['an open brace', '${NAME', "syntax error: missing '}'"],
  ['an open brace and nothing else', '${', "syntax error: missing '}'"],
  ['an open default', '${NAME:-x', "syntax error: missing '}'"],
  ['an open default in a closed one', '${NAME:-x${HOME}', "syntax error: missing '}'"],
  ['a dot as a name', '${.}', 'unsupported modifier (.) in substitution'],
  ['an assignment', '${NAME:=x}', 'unsupported modifier (:=) in substitution'],
  ['a substring', '${NAME:1}', 'unsupported modifier (:1) in substitution'],
  ['a colon before a hash', '${NAME:#x}', 'unsupported modifier (:#) in substitution'],
  ['upper case', '${NAME^}', 'unsupported modifier (^) in substitution'],
  ['${x?} of an unset variable', '${NONE?}', 'NONE: is not allowed to be unset'],
  ['${x:?} of an empty one', '${EMPTY:?}', 'EMPTY: is not allowed to be empty'],
  ['${x:?m} of an unset one', '${NONE:?set it}', 'NONE: set it'],
  ['${x?m} of an unset one', '${NONE?set it}', 'NONE: set it'],
  ['a replacement without its slash', '${NAME/e}', "missing '/' in ${}"],
  ['a replacement without its brace', '${NAME/e/x', "missing '}'"],
  ['an escape of a letter in a pattern', '${NAME#\\e}', "invalid pattern (\\e) in substitution: invalid escape '\\e'"],
  ['more depth than anybody means', '${a:-'.repeat(1000), 'nested too deeply'],
];

describe('expand refuses', () => {
  it.each(failures)('%s: %s', (_, word, message) => {
    expect(() => expand(word, variables)).toThrow(message);
  });

  it('a result that no process could take', () => {
    const long = new Map([['L', 'x'.repeat(1 << 19)]]);
    expect(() => expand('$L$L$L', long)).toThrow('the result is too long');
  });

  it('with the word in question', () => {
    expect(() => expand("'a\\'b'", variables)).toThrow(
      "failed to process \"'a\\\\'b'\": unexpected end of statement while looking for matching single-quote",
    );
  });
});

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
