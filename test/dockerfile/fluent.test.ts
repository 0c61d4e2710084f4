import { describe, expect, it } from '@jest/globals';
import {
  bind,
  type BuildStage,
  cache,
  DockerfileError,
  from,
  literal,
  needs,
  parse,
  scratch,
  secret,
  ssh,
  tmpfs,
  toGraph,
} from '../../src/dockerfile/index.ts';
import { graphOf, imageConfig, inputs } from './build-inputs.ts';

const a = from('a');
const build = from('a', { as: 'build' }).run('make');

describe('each method is its instruction', () => {
  it.each<[rule: string, stage: BuildStage, dockerfile: string]>([
    ['from', from('debian:12'), 'FROM debian:12'],
    ['from with a platform', from('a', { platform: '$BUILDPLATFORM' }), 'FROM --platform=$BUILDPLATFORM a'],
    ['from with a name', from('a', { as: 'x' }), 'FROM a AS x'],
    ['as', from('a').as('x'), 'FROM a AS x'],
    ['from with arguments', from('a:$V', { args: { V: '1', W: undefined } }), 'ARG V=1\nARG W\n\nFROM a:$V'],
    ['scratch', scratch.copy('a', '/'), 'FROM scratch\nCOPY a /'],
    ['from scratch as a value', from(scratch).copy('a', '/'), 'FROM scratch\nCOPY a /'],
    ['run of a line', a.run('echo "$A" && b'), 'FROM a\nRUN echo "$A" && b'],
    ['run of a list', a.run(['b', '-c', '$X "y"\n']), 'FROM a\nRUN ["b", "-c", "$X \\"y\\"\\n"]'],
    ['run of a script', a.run('set -e\nmake\n'), 'FROM a\nRUN <<EOF\nset -e\nmake\nEOF'],
    ['run of a script without an end', a.run('set -e\nmake'), 'FROM a\nRUN <<EOF\nset -e\nmake\nEOF'],
    ['run of a script with an interpreter', a.run('#!/b\nx'), 'FROM a\nRUN <<EOF\n#!/b\nx\nEOF'],
    ['run of a script that holds EOF', a.run('EOF\nEOF2'), 'FROM a\nRUN <<EOF3\nEOF\nEOF2\nEOF3'],
    ['run with a network', a.run('b', { network: 'none' }), 'FROM a\nRUN --network=none b'],
    ['run with security', a.run('b', { security: 'insecure' }), 'FROM a\nRUN --security=insecure b'],
    ['run with a cache', a.run('b', { mounts: [cache('/c')] }), 'FROM a\nRUN --mount=type=cache,target=/c b'],
    [
      'run with all of a cache',
      a.run('b', {
        mounts: [cache('c', { id: 'i', sharing: 'locked', readOnly: true, from: 'x', source: '/s', mode: 0o750 })],
      }),
      'FROM a\nRUN --mount=type=cache,from=x,source=/s,target=c,id=i,sharing=locked,readonly,mode=750 b',
    ],
    ['run with the context', a.run('b', { mounts: [bind('/s')] }), 'FROM a\nRUN --mount=type=bind,target=/s b'],
    [
      'run with files of an image',
      a.run('b', { mounts: [bind('/s', { from: 'busybox', source: '/bin', readWrite: true })] }),
      'FROM a\nRUN --mount=type=bind,from=busybox,source=/bin,target=/s,readwrite b',
    ],
    [
      'run with memory',
      a.run('b', { mounts: [tmpfs('/t', { size: '64m' }), tmpfs('/u', { size: 100 })] }),
      'FROM a\nRUN --mount=type=tmpfs,target=/t,size=64m --mount=type=tmpfs,target=/u,size=100 b',
    ],
    [
      'run with secrets',
      a.run('b', { mounts: [secret('s', { env: 'S', required: true }), secret('t', { target: '/t', mode: 0o400 })] }),
      'FROM a\nRUN --mount=type=secret,id=s,env=S,required --mount=type=secret,id=t,target=/t,mode=400 b',
    ],
    [
      'run with an agent',
      a.run('b', { mounts: [ssh(), ssh({ id: 'x', target: '/s', uid: 1, gid: 2 })] }),
      'FROM a\nRUN --mount=type=ssh --mount=type=ssh,id=x,target=/s,uid=1,gid=2 b',
    ],
    ['copy', a.copy('x', '/y'), 'FROM a\nCOPY x /y'],
    ['copy of several', a.copy(['x', 'y*.js'], './'), 'FROM a\nCOPY x y*.js ./'],
    ['copy of blanks', a.copy('x y', '/z'), 'FROM a\nCOPY ["x y", "/z"]'],
    ['copy of a byte order mark', a.copy('\ufeffx', '/z'), 'FROM a\nCOPY ["\\"\ufeffx\\"", "/z"]'],
    ['copy of brackets', a.copy('[xy].js', '/z'), 'FROM a\nCOPY ["[xy].js", "/z"]'],
    ['copy from an image', a.copy('/x', '/y', { from: 'b:1' }), 'FROM a\nCOPY --from=b:1 /x /y'],
    [
      'copy with owner, mode and exceptions',
      a.copy('x', '/y', { chown: 'u:g', chmod: 0o755, exclude: ['*.md', 'a b'] }),
      'FROM a\nCOPY --chown=u:g --chmod=755 --exclude=*.md --exclude="a b" x /y',
    ],
    [
      'copy with link and parents',
      a.copy('x/./y', '/z', { link: true, parents: true }),
      'FROM a\nCOPY --link --parents x/./y /z',
    ],
    ['add', a.add('x.tar', '/', { unpack: false }), 'FROM a\nADD --unpack=false x.tar /'],
    [
      'add of a download',
      a.add('https://b.example/c', '/d', { checksum: `sha256:${'0'.repeat(64)}`, chmod: 'u=rw' }),
      `FROM a\nADD --chmod=u=rw --checksum=sha256:${'0'.repeat(64)} https://b.example/c /d`,
    ],
    [
      'add of a repository',
      a.add('https://b.example/c.git#v1', '/d', { keepGitDir: true }),
      'FROM a\nADD --keep-git-dir https://b.example/c.git#v1 /d',
    ],
    ['write', a.write('/etc/x', 'y\nz\n'), 'FROM a\nCOPY <<EOF /etc/x\ny\nz\nEOF'],
    ['write of nothing', a.write('x', ''), 'FROM a\nCOPY <<EOF x\nEOF'],
    ['write of a line without an end', a.write('x', 'y'), 'FROM a\nCOPY <<EOF x\ny\nEOF'],
    ['write with a variable', a.write('x', '$V \\n'), 'FROM a\nCOPY <<EOF x\n$V \\\\n\nEOF'],
    ['write without a variable', a.write('x', 'a\\n'), "FROM a\nCOPY <<'EOF' x\na\\n\nEOF"],
    ['write of a dollar', a.write('x', literal('$V')), "FROM a\nCOPY <<'EOF' x\n$V\nEOF"],
    [
      'write with owner, mode and link',
      a.write('x', 'y', { owner: 'u', mode: 0o600, link: true }),
      'FROM a\nCOPY --chown=u --chmod=600 --link <<EOF x\ny\nEOF',
    ],
    ['env', a.env({ A: '1', B: 'x y', C: '$A' }), 'FROM a\nENV A=1 B="x y" C=$A'],
    ['env without values', a.env({}), 'FROM a'],
    ['env of a dollar', a.env({ A: literal('$5') }), 'FROM a\nENV A="\\$5"'],
    ['label', a.label({ 'x.y/z': 'a"b' }), 'FROM a\nLABEL x.y/z="a\\"b"'],
    ['arg', a.arg('V').arg('W', 'x y').env({ W: '$W' }), 'FROM a\nARG V\nARG W="x y"\nENV W=$W'],
    ['workdir', a.workdir('/app').workdir('x y'), 'FROM a\nWORKDIR /app\nWORKDIR "x y"'],
    ['user', a.user('1:2'), 'FROM a\nUSER 1:2'],
    ['expose', a.expose(80, '53/udp', '$P'), 'FROM a\nEXPOSE 80 53/udp $P'],
    ['volume', a.volume('/x', '/y'), 'FROM a\nVOLUME /x /y'],
    ['volume of blanks', a.volume('/x y'), 'FROM a\nVOLUME ["/x y"]'],
    ['cmd of a line', a.cmd('x "$Y"'), 'FROM a\nCMD x "$Y"'],
    ['cmd of a list', a.cmd(['x', '$Y']), 'FROM a\nCMD ["x", "$Y"]'],
    ['cmd of nothing', a.cmd([]), 'FROM a\nCMD []'],
    ['entrypoint', a.entrypoint(['x']).entrypoint('y'), 'FROM a\nENTRYPOINT ["x"]\nENTRYPOINT y'],
    ['shell', a.shell(['/b', '-c']).run('x'), 'FROM a\nSHELL ["/b", "-c"]\nRUN x'],
    [
      'healthcheck',
      a.healthcheck('x || exit 1', {
        interval: '5s',
        timeout: '1s',
        startPeriod: '2s',
        startInterval: '3s',
        retries: 4,
      }),
      'FROM a\nHEALTHCHECK --interval=5s --timeout=1s --start-period=2s --start-interval=3s --retries=4 CMD x || exit 1',
    ],
    ['healthcheck of a list', a.healthcheck(['x', 'y']), 'FROM a\nHEALTHCHECK CMD ["x", "y"]'],
    ['no healthcheck', a.noHealthcheck(), 'FROM a\nHEALTHCHECK NONE'],
    ['stopsignal', a.stopsignal('SIGINT').stopsignal(9), 'FROM a\nSTOPSIGNAL SIGINT\nSTOPSIGNAL 9'],
    [
      'onbuild',
      a.onbuild((child) => child.copy('.', '.', { from: 'b' }).run('x\ny')),
      'FROM a\nONBUILD COPY --from=b . .\nONBUILD RUN <<EOF\nx\ny\nEOF',
    ],
  ])('%s', (_rule, stage, dockerfile) => {
    expect(stage.toDockerfile()).toBe(`${dockerfile}\n`);
    expect(graphOf(stage.toDockerfile())).toEqual(graphOf(dockerfile));
  });

  it('and its syntax tree is the text parsed', () => {
    const ast = build.toAst({ name: 'build.ts' });
    expect(ast).toEqual(parse('FROM a AS build\nRUN make\n', { name: 'build.ts' }));
    const configs = new Map([['a linux/amd64', imageConfig()]]);
    expect(needs(ast, inputs(), new Map())).toHaveLength(1);
    expect(toGraph(ast, inputs(), configs).steps).toHaveLength(2);
  });
});

describe('stages', () => {
  it.each<[rule: string, stage: BuildStage, dockerfile: string]>([
    [
      'that are read come first',
      scratch.copy('/x', '/', { from: build }),
      'FROM a AS build\nRUN make\n\nFROM scratch\nCOPY --from=build /x /',
    ],
    ['are built on', from(build).run('x'), 'FROM a AS build\nRUN make\n\nFROM build\nRUN x'],
    [
      'are mounted',
      a.run('x', { mounts: [bind('/x', { from: build }), cache('/y', { from: build })] }),
      'FROM a AS build\nRUN make\n\nFROM a\nRUN --mount=type=bind,from=build,target=/x --mount=type=cache,from=build,target=/y x',
    ],
    [
      'without a name get their place as one',
      scratch.copy('/x', '/', { from: a.run('1') }).copy('/x', '/', { from: a.run('2') }),
      'FROM a AS stage-0\nRUN 1\n\nFROM a AS stage-1\nRUN 2\n\nFROM scratch\nCOPY --from=stage-0 /x /\nCOPY --from=stage-1 /x /',
    ],
    [
      'without a name keep clear of names that mean something else',
      scratch.copy('/x', '/', { from: a.run('1') }).copy('/x', '/', { from: 'stage-0' }),
      'FROM a AS stage-0-2\nRUN 1\n\nFROM scratch\nCOPY --from=stage-0-2 /x /\nCOPY --from=stage-0 /x /',
    ],
    [
      'that are read twice come once',
      from(build)
        .copy('/x', '/', { from: build })
        .copy('/y', '/', { from: from(build, { as: 'next' }).run('y') }),
      'FROM a AS build\nRUN make\n\nFROM build AS next\nRUN y\n\nFROM build\nCOPY --from=build /x /\nCOPY --from=next /y /',
    ],
    [
      'that are equal come once',
      scratch
        .copy('/x', '/', { from: from('a', { as: 'b' }).run('1') })
        .copy('/y', '/', { from: from('a', { as: 'b' }).run('1') }),
      'FROM a AS b\nRUN 1\n\nFROM scratch\nCOPY --from=b /x /\nCOPY --from=b /y /',
    ],
    [
      'that depend on each other come in order',
      from(from(from('a', { as: 'x' }), { as: 'y' }).copy('/', '/', { from: from('c', { as: 'z' }) })),
      'FROM a AS x\n\nFROM c AS z\n\nFROM x AS y\nCOPY --from=z / /\n\nFROM y',
    ],
    [
      'share the arguments before the first of them',
      from('a:$V', { args: { V: '1' } }).copy('/', '/', { from: from('b:$V$W', { args: { W: '2', V: '1' } }) }),
      'ARG W=2\nARG V=1\n\nFROM b:$V$W AS stage-0\n\nFROM a:$V\nCOPY --from=stage-0 / /',
    ],
    [
      'may be named by a string where another reads them',
      scratch.copy('/x', '/', { from: build }).copy('/y', '/', { from: 'build' }),
      'FROM a AS build\nRUN make\n\nFROM scratch\nCOPY --from=build /x /\nCOPY --from=build /y /',
    ],
  ])('%s', (_rule, stage, dockerfile) => {
    expect(stage.toDockerfile()).toBe(`${dockerfile}\n`);
    expect(graphOf(stage.toDockerfile())).toEqual(graphOf(dockerfile));
  });

  it('never change', () => {
    const base = from('a');
    const command = ['x'];
    const one = base.run(command);
    command.push('y');
    base.run('z');
    expect(base.toDockerfile()).toBe('FROM a\n');
    expect(one.toDockerfile()).toBe('FROM a\nRUN ["x"]\n');
  });

  it('may be chained without end', () => {
    let stage = from('a');
    for (let number = 0; number < 5000; number++) stage = from(stage);
    expect(stage.toAst().instructions).toHaveLength(5001);
  });
});

describe('shell lines that would be something else are carried all the same', () => {
  it.each<[rule: string, command: string, dockerfile: string]>([
    ['a flag', '--x', 'RUN -- --x'],
    ['the end of flags', '-- x', 'RUN -- -- x'],
    ['a test', '[ -f x ]', 'RUN [ -f x ]'],
    ['a JSON array', '["x"]', 'RUN <<EOF\n["x"]\nEOF'],
    ['an array that RUN refuses', '[1]', 'RUN <<EOF\n[1]\nEOF'],
    ['a heredoc', 'cat <<EOF', 'RUN <<EOF\ncat <<EOF\nEOF'],
    ['a quoted heredoc', "echo '<<EOF'", "RUN echo '<<EOF'"],
    ['a shift, which looks like one', 'echo $((1 << 2))', 'RUN <<EOF\necho $((1 << 2))\nEOF'],
    ['blanks around', '\n  x \t', 'RUN x'],
    ['an escaped blank at the end', 'ls a\\ ', 'RUN <<EOF\nls a\\ \nEOF'],
    ['two backslashes at the end', 'echo a\\\\', 'RUN echo a\\\\'],
    ['a comment', '# x', 'RUN # x'],
  ])('%s', (_rule, command, dockerfile) => {
    expect(a.run(command).toDockerfile()).toBe(`FROM a\n${dockerfile}\n`);
  });

  it('in CMD, too', () => {
    expect(graphOf(a.cmd('--x <<Y').toDockerfile()).image.config.Cmd).toEqual(['/bin/sh', '-c', '--x <<Y']);
  });

  it('in HEALTHCHECK, too', () => {
    expect(graphOf(a.healthcheck('--x <<Y').toDockerfile()).image.config.Healthcheck?.Test).toEqual([
      'CMD-SHELL',
      '--x <<Y',
    ]);
  });
});

describe('what the language cannot express is refused', () => {
  it.each<[rule: string, work: () => unknown, message: string]>([
    ['a base without a name', () => from(''), 'no name of a stage or an image: ""'],
    ['a base with blanks', () => from('a AS b'), 'no name of a stage or an image: "a AS b"'],
    ['a base like a flag', () => from('--x'), 'no name of a stage or an image: "--x"'],
    ['a stage name in upper case', () => a.as('X'), 'no name for a stage: "X"'],
    ['a stage called scratch', () => a.as('scratch'), 'no name for a stage: "scratch"'],
    ['a source by its place', () => a.copy('x', 'y', { from: '0' }), 'a stage is not named by its place: "0"'],
    ['a volume without a path', () => a.volume(''), 'VOLUME needs a path that is not empty'],
    [
      'a command that would join the next line',
      () => a.run('x \\'),
      String.raw`RUN cannot end in a backslash, which would join it to the next line: "x \\"`,
    ],
    ['a line break in ENV', () => a.env({ A: 'x\ny' }), String.raw`ENV cannot hold a line break: "ENV A=\"x\ny\""`],
    ['a line break in USER', () => a.user('x\ny'), String.raw`USER cannot hold a line break: "USER \"x\ny\""`],
    ['a line break in a flag', () => a.copy('x', 'y', { chown: '\n' }), 'COPY cannot hold a line break'],
    ['a line break in a mount', () => a.run('x', { mounts: [tmpfs('/\n')] }), 'RUN cannot hold a line break'],
    ['a line break in a platform', () => from('a', { platform: 'x\ny' }), 'FROM cannot hold a line break'],
    ['a line break in CMD', () => a.cmd('x\ny'), String.raw`CMD cannot hold this as a shell's command: "x\ny"`],
    [
      'an array as a line in CMD',
      () => a.cmd('["x"]'),
      String.raw`CMD cannot hold this as a shell's command: "[\"x\"]"`,
    ],
    ['a backslash at the end of RUN', () => a.run('x\\'), 'RUN cannot end in a backslash'],
    ['a backslash at the end of CMD', () => a.cmd('x\\ '), 'CMD cannot end in a backslash'],
    ['half a character', () => a.env({ A: '\ud800' }), 'not Unicode text'],
    ['half a character in JSON', () => a.run(['\ud800']), 'not Unicode text'],
    ['half a character in a file', () => a.write('x', '\ud800'), 'not Unicode text'],
    ['RUN of nothing', () => a.run(' '), 'RUN needs a command'],
    ['RUN of no list', () => a.run([]), 'RUN needs a command'],
    ['COPY of nothing', () => a.copy([], 'x'), 'COPY needs a source'],
    ['EXPOSE of nothing', () => a.expose(), 'EXPOSE needs a port'],
    ['EXPOSE of blanks', () => a.expose('1 2'), 'no port: "1 2"'],
    ['VOLUME of nothing', () => a.volume(), 'VOLUME needs a path'],
    ['a name with an equals sign', () => a.env({ 'a=b': '' }), 'no name for ENV: "a=b"'],
    ['an argument with blanks', () => a.arg('a b'), 'no name for ARG: "a b"'],
    ['a text in a folder', () => a.write('/etc/', 'x'), "a file's path is wanted, not a folder's: /etc/"],
    ['a text at a path with blanks', () => a.write('/a b', 'x'), 'the path of a text cannot hold blanks: /a b'],
    ['an open variable before a text', () => a.write('/${x', 'RUN y'), 'a variable expression is not closed'],
    [
      'a trigger that reads a stage',
      () => a.onbuild((child) => child.copy('/', '/', { from: build })),
      'a trigger cannot read a stage of this Dockerfile',
    ],
    [
      'one name for two stages',
      () =>
        from(a.as('x'))
          .copy('/', '/', { from: a.run('y').as('x') })
          .toDockerfile(),
      'two different stages are called "x"',
    ],
    [
      'one global argument with two values',
      () =>
        from('a', { args: { V: '1' } })
          .copy('/', '/', { from: from('b', { args: { V: '2' } }) })
          .toDockerfile(),
      'two stages give the global argument "V" different values',
    ],
  ])('%s', (_rule, work, message) => {
    let error: unknown;
    try {
      work();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(DockerfileError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) });
  });

  it('a stage’s name, with a word on what names are made of', () => {
    expect(() => a.as('X')).toThrow(
      expect.objectContaining({ hint: 'lower-case letters, digits, - _ and ., a letter first' }),
    );
  });

  it('and its error shows the Dockerfile that was written', () => {
    const stage = a.copy('x', 'y', { chmod: '9' });
    expect(() => graphOf(stage.toDockerfile())).toThrow(
      expect.objectContaining({
        range: { start: 2, end: 2 },
        details: expect.arrayContaining(['   2 | >>> COPY --chmod=9 x y']),
      }),
    );
  });
});
