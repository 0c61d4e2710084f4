import { describe, expect, it } from '@jest/globals';
import { graphOf, lastStep, ownHistory } from './build-inputs.ts';

const good: readonly (readonly [text: string, history: string])[] = [
  ['COPY a b', '* COPY a b # buildkit'],
  ['COPY a b c/', '* COPY a b c/ # buildkit'],
  ['COPY ["a b", "c"]', '* COPY a b c # buildkit'],
  ['COPY --chown=1:2 --chmod=0755 a b', '* COPY --chown=1:2 --chmod=0755 a b # buildkit'],
  ['COPY --parents a/b c/', '* COPY --parents a/b c/ # buildkit'],
  ['COPY --link a b', '* COPY a b # buildkit'],
  ['COPY --link=false a b', '* COPY a b # buildkit'],
  ['COPY --link=TRUE a b', '* COPY a b # buildkit'],
  ['COPY --chmod=u=rwX,go=rX a b', '* COPY --chmod=u=rwX,go=rX a b # buildkit'],
  ['COPY --chmod=+x a b', '* COPY --chmod=+x a b # buildkit'],
  ['COPY --chmod=a-w,u+s a b', '* COPY --chmod=a-w,u+s a b # buildkit'],
  ['COPY --exclude=*.md --exclude=x a b', '* COPY a b # buildkit'],
  ['ADD a b', '* ADD a b # buildkit'],
  ['ADD https://example.com/x.tgz /', '* ADD https://example.com/x.tgz / # buildkit'],
  ['copy a b', '* COPY a b # buildkit'],
  ['COPY ["a", "b", "c/"]', '* COPY a b c/ # buildkit'],
  ['COPY "a" \'b\'', '* COPY a b # buildkit'],
  ['COPY $NONE/a b', '* COPY /a b # buildkit'],
  ['COPY --from=scratch a b', '* COPY a b # buildkit'],
  ['COPY --from=busybox:1 a b', '* COPY a b # buildkit'],
  ['COPY --chown=ann a b', '* COPY --chown=ann a b # buildkit'],
  ['COPY --chown=:33 a b', '* COPY --chown=:33 a b # buildkit'],
  ['COPY --chown="a b" a b', '* COPY --chown=a b a b # buildkit'],
  ['COPY --chown= a b', '* COPY a b # buildkit'],
  ['COPY --chmod=0 a b', '* COPY --chmod=0 a b # buildkit'],
  ['COPY --chmod=644 a b', '* COPY --chmod=644 a b # buildkit'],
  ['COPY --chmod=07777 a b', '* COPY --chmod=07777 a b # buildkit'],
  ['COPY --chmod=u=rwx a b', '* COPY --chmod=u=rwx a b # buildkit'],
  ['COPY --chmod=ugo+X a b', '* COPY --chmod=ugo+X a b # buildkit'],
  ['COPY --chmod=g=u a b', '* COPY --chmod=g=u a b # buildkit'],
  ['COPY --chmod=u+s,g-s,o+t a b', '* COPY --chmod=u+s,g-s,o+t a b # buildkit'],
  ['COPY --chmod=u=,go= a b', '* COPY --chmod=u=,go= a b # buildkit'],
  ['COPY --chmod=u+r-w a b', '* COPY --chmod=u+r-w a b # buildkit'],
  ['COPY --chmod= a b', '* COPY a b # buildkit'],
  ['COPY --parents=false a b', '* COPY a b # buildkit'],
  ['COPY --parents=true a b', '* COPY --parents a b # buildkit'],
  ['COPY --exclude= a b', '* COPY a b # buildkit'],
  ['COPY --link --chown=1 --chmod=600 --exclude=x a b', '* COPY --chown=1 --chmod=600 a b # buildkit'],
  ['COPY -- --a b', '* COPY --a b # buildkit'],
  ['ADD ["a b", "c"]', '* ADD a b c # buildkit'],
  ['ADD --chown=1:2 --chmod=755 a b', '* ADD --chown=1:2 --chmod=755 a b # buildkit'],
  ['ADD --link --exclude=*.md a b', '* ADD a b # buildkit'],
  ['ADD --unpack a b', '* ADD a b # buildkit'],
  ['ADD --keep-git-dir=true a b', '* ADD a b # buildkit'],
  ['ADD a https://a/b c git@d:e /f/', '* ADD a https://a/b c git@d:e /f/ # buildkit'],
  ['ADD https://me:secret@a/b https://token@a/b.git /f/', '* ADD https://***@a/b https://***@a/b.git /f/ # buildkit'],
];

describe('COPY and ADD in history', () => {
  it.each(good)('%s', (text, history) => {
    expect(ownHistory(`FROM a\n${text}`)).toEqual(history === '' ? [] : [history]);
  });
});

const bad: readonly (readonly [text: string, message: string])[] = [
  ['COPY a', 'COPY requires at least two arguments, but only one was provided. Destination could not be determined'],
  ['COPY', 'COPY requires at least two arguments'],
  ['ADD a', 'ADD requires at least two arguments'],
  ['COPY --form=x a b', 'unknown flag: --form (did you mean from?)'],
  ['COPY --link=yes a b', 'expecting boolean value for flag --link, not: yes'],
  ['COPY --link= a b', 'missing a value on flag: --link'],
  ['COPY --from a b', 'missing a value on flag: --from'],
  ['COPY --checksum=x a b', 'unknown flag: --checksum'],
  ['COPY --chmod=64a a b', "invalid chmod parameter: '64a'. it should be octal string and between 0 and 07777"],
  ['COPY --chmod=10000 a b', "invalid chmod parameter: '10000'"],
  ['COPY --chmod=u+q a b', "invalid chmod parameter: 'u+q'"],
  ['COPY --from=$A a b', 'variable expansion is not supported for --from, define a new stage'],
  ['COPY --from=7 a b', 'invalid stage index 7'],
  ['COPY https://example.com/x /', "source can't be a URL for COPY"],
  ['COPY git@example.com:x/y.git /', "source can't be a git ref for COPY"],
  ['COPY "a b', 'looking for matching double-quote'],
  ['ADD --from=x a b', 'unknown flag: --from'],
  ['ADD --checksum=sha256:x a b', 'checksum requires HTTP(S) or Git sources'],
  ['ADD --checksum=sha256:x https://a/b https://a/c /', "checksum can't be specified for multiple sources"],
  ['ADD --checksum=sha256:x https://a/b /', 'invalid checksum digest format: "sha256:x"'],
  ['ADD --unpack=x a b', 'expecting boolean value for flag --unpack, not: x'],
  ['ADD https://a/b.git?x=1 /', 'unexpected query "x"'],
  ['ADD https://a/b.git?tag=1&branch=2 /', 'branch conflicts with tag'],
  ['ADD https://a/b.git?ref=1#2 /', 'ref conflicts: "2" vs "1"'],
  ['ADD https://a/b.git?subdir= /', 'query "subdir" has no value'],
  ['ADD https://a/b.git?ref=1&ref=2 /', 'query "ref" has multiple values'],
  ['ADD --keep-git-dir https://a/b.git?keep-git-dir=false /', 'inconsistent keep-git-dir configuration'],
  ['COPY ["a"]', 'COPY requires at least two arguments'],
  ['COPY []', 'COPY requires at least two arguments'],
  ['COPY ["a", 1]', 'arrays must be comprised of strings only'],
  ['COPY --chown a b', 'missing a value on flag: --chown'],
  ['COPY --chmod a b', 'missing a value on flag: --chmod'],
  ['COPY --exclude a b', 'missing a value on flag: --exclude'],
  ['COPY --parents=1 a b', 'expecting boolean value for flag --parents, not: 1'],
  ['COPY --chown=1 --chown=2 a b', 'duplicate flag specified: --chown'],
  ['COPY --chmod=1 --chmod=2 a b', 'duplicate flag specified: --chmod'],
  ['COPY --from=a --from=b a b', 'duplicate flag specified: --from'],
  ['COPY --link --chown=ann a b', '--link knows no names, only numbers: --chown=ann'],
  ['ADD --link --chown=1:ann a b', '--link knows no names, only numbers: --chown=1:ann'],
  ['COPY --link --link a b', 'duplicate flag specified: --link'],
  ['COPY --parents --parents a b', 'duplicate flag specified: --parents'],
  ['COPY --Link a b', 'unknown flag: --Link'],
  ['COPY --unpack a b', 'unknown flag: --unpack'],
  ['COPY --keep-git-dir a b', 'unknown flag: --keep-git-dir'],
  ['COPY --chmod=8 a b', "invalid chmod parameter: '8'"],
  ['COPY --chmod=-1 a b', "invalid chmod parameter: '-1'"],
  ['COPY --chmod=u a b', "invalid chmod parameter: 'u'"],
  ['COPY --chmod=u=ug a b', "invalid chmod parameter: 'u=ug'"],
  ['COPY --chmod=u+x, a b', "invalid chmod parameter: 'u+x,'"],
  ['COPY --chmod=0o755 a b', "invalid chmod parameter: '0o755'"],
  ['COPY --chmod=${NONE:-x} a b', "invalid chmod parameter: 'x'"],
  ['COPY --from=${A} a b', 'variable expansion is not supported for --from'],
  ['COPY --from=-1 a b', 'invalid stage index -1'],
  ['COPY --from=UPPER/Case a b', 'failed to parse stage name "UPPER/Case": invalid reference format'],
  ['COPY --from=a:b:c a b', 'failed to parse stage name "a:b:c": invalid reference format'],
  ['COPY ${A?which} b', 'A: which'],
  ['COPY a ${B', "syntax error: missing '}'"],
  ['COPY --chown=${A?who} a b', 'A: who'],
  ['COPY --exclude=${A?what} a b', 'A: what'],
  ['COPY http://example.com/x /', "source can't be a URL for COPY"],
  ['COPY https://example.com/x.git /', "source can't be a git ref for COPY"],
  ['COPY ssh://git@example.com/x /', "source can't be a git ref for COPY"],
  ['ADD', 'ADD requires at least two arguments'],
  ['ADD --parents a b', 'unknown flag: --parents'],
  ['ADD --chekcsum=x a b', 'unknown flag: --chekcsum (did you mean checksum?)'],
  ['ADD --unpack --unpack a b', 'duplicate flag specified: --unpack'],
  ['ADD --keep-git-dir=1 a b', 'expecting boolean value for flag --keep-git-dir, not: 1'],
  ['ADD --keep-git-dir= a b', 'missing a value on flag: --keep-git-dir'],
  ['ADD --checksum a b', 'missing a value on flag: --checksum'],
  ['ADD --checksum=x --checksum=x https://a/b /', 'duplicate flag specified: --checksum'],
  ['ADD --checksum=abc https://a/b /', 'invalid checksum digest format: "abc"'],
  ['ADD --checksum=md5:00000000000000000000000000000000 https://a/b /', 'invalid checksum digest format: "md5:'],
  ['ADD --checksum=sha256:x a https://a/b /', "checksum can't be specified for multiple sources"],
  ['ADD https://a/b.git?tag= /', 'query "tag" has no value'],
  ['ADD https://a/b.git?branch= /', 'query "branch" has no value'],
  ['ADD https://a/b.git?commit= /', 'query "commit" has no value'],
  ['ADD https://a/b.git?mtime= /', 'query "mtime" has no value'],
  ['ADD https://a/b.git?mtime=now /', 'invalid mtime value: "now" (must be "checkout" or "commit")'],
  ['ADD https://a/b.git?keep-git-dir=yes /', 'invalid keep-git-dir value: "yes"'],
  ['ADD https://a/b.git?submodules=x /', 'invalid submodules value: "x"'],
  ['ADD https://a/b.git?fetch-by-commit=x /', 'invalid fetch-by-commit value: "x"'],
  ['ADD https://a/b.git?subdir=x#:y /', 'subdir conflicts: "y" vs "x"'],
  ['ADD https://a/b.git?tag=1&ref=2 /', 'ref conflicts: "2" vs "refs/tags/1"'],
  ['ADD https://a/b.git?branch=1#2 /', 'ref conflicts: "2" vs "refs/heads/1"'],
  ['ADD --checksum=abc https://a/b.git?checksum=def /', 'checksum mismatch "abc" != "def"'],
  ['ADD --checksum=abc https://a/b.git?commit=def /', 'checksum mismatch "abc" != "def"'],
  ['ADD --keep-git-dir=false https://a/b.git?keep-git-dir /', 'inconsistent keep-git-dir configuration'],
  ['ADD https://a/b.git?checksum=abc&commit=def /', 'checksum conflicts: "abc" vs "def"'],
  ['ADD git@a:b?x=1 /', 'unexpected query "x"'],
];

describe('COPY or ADD is refused', () => {
  it.each(bad)('%s', (text, message) => {
    expect(() => graphOf(`FROM a\n${text}`)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), range: { start: 2, end: 2 } }),
    );
  });
});

const paths: readonly (readonly [workdir: string, destination: string, absolute: string])[] = [
  ['/', 'x', '/x'],
  ['/', '/x', '/x'],
  ['/', 'x/', '/x/'],
  ['/', '.', '/'],
  ['/', '/', '/'],
  ['/w', '.', '/w/'],
  ['/w', './', '/w/'],
  ['/w', './x', '/w/x'],
  ['/w', '../x', '/x'],
  ['/w', '..', '/'],
  ['/w', '/x/.', '/x/'],
  ['/w', '/x/../y/', '/y/'],
  ['/w/', 'x', '/w/x'],
  ['/w', '../../../x', '/x'],
  ['/w', '$NONE', '/w/'],
];

describe('where COPY puts things', () => {
  it.each(paths)('in %s: %s is %s', (workdir, destination, absolute) => {
    expect(lastStep('copy', `FROM a\nWORKDIR ${workdir}\nCOPY f ${destination}`).destination).toBe(absolute);
  });
});

const sources: readonly (readonly [flags: string, source: string, path: string])[] = [
  ['', 'a', '/a'],
  ['', './a/../b/', '/b'],
  ['', '../../a', '/a'],
  ['', '/a', '/a'],
  ['', '.', '/'],
  ['', 'a*/[b]', '/a*/[b]'],
  ['--parents', 'a/b', '/./a/b'],
  ['--parents', './a/*.c', '/./a/*.c'],
  ['--parents', 'a/./b/c', '/a/./b/c'],
  ['--parents', './a/./b', '/a/./b'],
  ['--parents', 'a/./', '/a/./'],
  ['--parents', '.', '/./'],
  ['--parents', '**/x', '/./**/x'],
];

describe('what COPY takes', () => {
  it.each(sources)('%s %s is %s', (flags, source, path) => {
    expect(lastStep('copy', `FROM a\nCOPY ${flags} ${source} /x`).sources).toEqual([
      { kind: 'path', from: { kind: 'context' }, path },
    ]);
  });
});

const adds: readonly (readonly [text: string, source: unknown])[] = [
  ['ADD https://a/b.tgz /', { kind: 'url', url: 'https://a/b.tgz' }],
  [
    `ADD --checksum=sha256:${'0'.repeat(64)} https://a/b /`,
    { kind: 'url', url: 'https://a/b', checksum: `sha256:${'0'.repeat(64)}` },
  ],
  ['ADD https://a/b.git /', { kind: 'git', url: 'https://a/b.git', keepGitDir: false }],
  ['ADD https://a/b.git#v1:sub /', { kind: 'git', url: 'https://a/b.git#v1:sub', keepGitDir: false }],
  ['ADD --keep-git-dir git://a/b /', { kind: 'git', url: 'git://a/b', keepGitDir: true }],
  ['ADD git@a:b/c /', { kind: 'git', url: 'git@a:b/c', keepGitDir: false }],
  ['ADD ssh://git@a/b /', { kind: 'git', url: 'ssh://git@a/b', keepGitDir: false }],
  ['ADD --checksum=abc https://a/b.git /', { kind: 'git', url: 'https://a/b.git', checksum: 'abc', keepGitDir: false }],
  [
    'ADD https://a/b.git?commit=abc&keep-git-dir /',
    { kind: 'git', url: 'https://a/b.git?commit=abc&keep-git-dir', checksum: 'abc', keepGitDir: true },
  ],
  ['ADD github.com/a/b /', { kind: 'path', from: { kind: 'context' }, path: '/github.com/a/b' }],
  ['ADD ./x@y:z /', { kind: 'path', from: { kind: 'context' }, path: '/x@y:z' }],
  ['ADD ftp://a/b /', { kind: 'path', from: { kind: 'context' }, path: '/ftp:/a/b' }],
];

describe('what ADD takes', () => {
  it.each(adds)('%s', (text, source) => {
    expect(lastStep('copy', `FROM a\n${text}`).sources).toEqual([source]);
  });

  it.each([
    ['ADD a b', 'auto'],
    ['ADD --unpack a b', 'always'],
    ['ADD --unpack=false a b', 'never'],
    ['COPY a b', 'never'],
  ])('%s unpacks %s', (text, unpack) => {
    expect(lastStep('copy', `FROM a\n${text}`).unpack).toBe(unpack);
  });
});

const gits: readonly (readonly [source: string, details: Readonly<Record<string, unknown>>])[] = [
  ['https://a/b.git?tag=v1', {}],
  ['https://a/b.git?branch=main', {}],
  ['https://a/b.git?tag=v1&ref=refs/tags/v1', {}],
  ['https://a/b.git?branch=b#refs/heads/b', {}],
  ['https://a/b.git?ref=v1#v1:sub', {}],
  ['https://a/b.git?ref=ä%20b#ä%20b', {}],
  ['https://a/b.git?subdir=sub#v1:sub', {}],
  ['https://a/b.git?checksum=abc', { checksum: 'abc' }],
  ['https://a/b.git?commit=abc', { checksum: 'abc' }],
  ['https://a/b.git?checksum=abc&commit=abc', { checksum: 'abc' }],
  ['https://a/b.git?keep-git-dir', { keepGitDir: true }],
  ['https://a/b.git?keep-git-dir=1', { keepGitDir: true }],
  ['https://a/b.git?keep-git-dir=false', {}],
  ['https://a/b.git?submodules=false&mtime=commit&fetch-by-commit', {}],
  ['https://a/b.git?mtime=checkout', {}],
  ['http://user:secret@a/b.git', {}],
  ['HTTPS://a/b.git', {}],
  ['git@a:b?commit=abc#v1', { checksum: 'abc' }],
  ['user-1@a.b:c/d.git#:sub', {}],
  ['ssh://git@a:22/b#v1', {}],
];

describe('a git repository', () => {
  it.each(gits)('%s', (url, details) => {
    expect(lastStep('copy', `FROM a\nADD ${url} /`).sources).toEqual([
      { kind: 'git', url, keepGitDir: false, ...details },
    ]);
  });

  it('keeps its folder by flag or by query', () => {
    const keeps = (text: string) => lastStep('copy', `FROM a\n${text}`).sources;
    expect(keeps('ADD --keep-git-dir=true https://a/b.git?keep-git-dir /')).toMatchObject([{ keepGitDir: true }]);
    expect(keeps('ADD --keep-git-dir=false https://a/b.git /')).toMatchObject([{ keepGitDir: false }]);
  });

  it('takes the same checksum from both', () => {
    expect(lastStep('copy', 'FROM a\nADD --checksum=abc https://a/b.git?commit=abc /').sources).toMatchObject([
      { checksum: 'abc' },
    ]);
  });
});

const steps: readonly (readonly [text: string, members: Readonly<Record<string, unknown>>])[] = [
  ['COPY a b', { link: false, parents: false, exclude: [], unpack: 'never' }],
  ['COPY --link a b', { link: true }],
  ['COPY --link=true a b', { link: true }],
  ['COPY --link=FALSE a b', { link: false }],
  ['COPY --link --chmod=644 a b', { link: false, mode: '644' }],
  ['COPY --parents a b', { parents: true }],
  ['COPY --exclude=a --exclude=!b a b', { exclude: ['a', '!b'] }],
  ['COPY --exclude=a\\*b a b', { exclude: ['a*b'] }],
  ['COPY --exclude=*.$X a b', { exclude: ['*.md'] }],
  ['COPY --chown=ann:staff a b', { owner: 'ann:staff' }],
  ['COPY --chown=$U:$G a b', { owner: '7:8' }],
  ['COPY --chmod=$M a b', { mode: '0600' }],
  ['COPY --chmod=u+${M:+x} a b', { mode: 'u+x' }],
  ['ADD --chown=$U a b', { owner: '7', unpack: 'auto' }],
  ['ADD --unpack=TRUE a b', { unpack: 'always' }],
  ['ADD --unpack=false https://a/b.tgz /', { unpack: 'never' }],
  ['ADD --link a b', { link: true }],
  [
    'ADD --checksum=$C https://a/b /',
    { sources: [{ kind: 'url', url: 'https://a/b', checksum: `sha256:${'0'.repeat(64)}` }] },
  ],
  ['ADD $L /', { sources: [{ kind: 'url', url: 'https://a/b' }] }],
];

describe('a step of COPY or ADD', () => {
  it.each(steps)('%s', (text, members) => {
    const args = `ARG U=7 G=8 M=0600 X=md L=https://a/b C=sha256:${'0'.repeat(64)}`;
    expect(lastStep('copy', `FROM a\n${args}\n${text}`)).toMatchObject(members);
  });
});
