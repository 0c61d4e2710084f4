import type { BuildInputs } from '../../src/dockerfile/index.ts';

/** Whether a builder has a feature; `ignored` is worse than no: the text is read, and nothing comes of it. */
export type Mark = 'yes' | 'partly' | 'no' | 'ignored';

/** What must come of an example; the test looks. */
export type Outcome =
  /** Members of the image's config. */
  | { readonly config: Readonly<Record<string, unknown>> }
  /** Members of the last step. */
  | { readonly step: Readonly<Record<string, unknown>> }
  /** Titles of all steps. */
  | { readonly steps: readonly string[] }
  /** The instructions as read, in the form of `slipway debug ast`. */
  | { readonly ast: string }
  /** `at` is line and column. */
  | { readonly error: string; readonly at?: string }
  | { readonly warning: string }
  /** Of an ignore file: paths that it keeps away, and paths that it does not. */
  | { readonly excluded: readonly string[]; readonly kept: readonly string[] }
  /** What `--call=targets` says of the last stage. */
  | { readonly description: string };

export interface Feature {
  readonly name: string;
  /** A Dockerfile; `FROM a` comes before it where it has no FROM. */
  readonly example: string;
  readonly gives: Outcome;
  /** What is given beside the file, as flags of a build and as inputs. */
  readonly given?: { readonly flags: string; readonly inputs: Partial<BuildInputs> };
  readonly buildkit: Mark;
  readonly buildah: Mark;
}

export interface Section {
  readonly title: string;
  readonly features: readonly Feature[];
}

function row(name: string, marks: string, example: string, gives: Outcome): Feature {
  const [buildkit = 'no', buildah = 'no'] = marks.split(' ') as Mark[];
  return { name, example, gives, buildkit, buildah };
}

function givenRow(feature: Feature, flags: string, inputs: Partial<BuildInputs>): Feature {
  return { ...feature, given: { flags, inputs } };
}

/** What the language has, with an example of each, beside BuildKit 0.32 and buildah 1.44. */
export const sections: readonly Section[] = [
  {
    title: 'Lines and directives',
    features: [
      row('keywords in any case', 'yes yes', 'fRoM a\nRun b', { ast: '(from "a")\n(run "b")' }),
      row('comments, also between continued lines', 'yes yes', 'RUN a \\\n# why\n b', { ast: '(run "a  b")' }),
      row('continuation with blanks after the mark', 'yes yes', 'RUN a \\  \n b', { ast: '(run "a  b")' }),
      row('an escaped mark continues nothing', 'yes yes', 'RUN a \\\\\nRUN b', {
        ast: '(run "a \\\\\\\\")\n(run "b")',
      }),
      row('empty continuation lines: a warning', 'yes partly', 'RUN a \\\n\n b', {
        warning: 'Empty continuation line',
      }),
      row('carriage returns', 'yes yes', 'RUN a\r\nRUN b', { ast: '(run "a")\n(run "b")' }),
      row('byte order mark', 'yes yes', '\ufeffFROM a', { ast: '(from "a")' }),
      row('lines of any length', 'no no', `RUN ${'x'.repeat(70_000)}`, {
        step: { args: ['/bin/sh', '-c', 'x'.repeat(70_000)] },
      }),
      row('`# escape=`', 'yes yes', '# escape=`\nFROM a\nRUN b `\n c', { ast: '(from "a")\n(run "b  c")' }),
      row(
        '`# syntax=`: the language is built in, so it is noted and ignored',
        'yes ignored',
        '# syntax=docker/dockerfile:1\nFROM a',
        {
          warning: '"# syntax=docker/dockerfile:1" is ignored: the language is built in',
        },
      ),
      row('`# check=skip=…;error=…;experimental=…`', 'yes no', '# check=error=true\nFROM a as b', {
        error: 'lint violation found for rules: FromAsCasing',
      }),
      row(
        '`# check=skip=…` above an instruction',
        'yes no',
        '# check=error=true\n#\n# check=skip=FromAsCasing\nFROM a as b',
        { config: {} },
      ),
      row('a directive twice is an error', 'yes partly', '# escape=`\n# escape=`\nFROM a', {
        error: 'only one escape parser directive can be used',
      }),
      row('“did you mean” for instructions', 'yes no', 'COPI a b', {
        error: 'unknown instruction: COPI (did you mean COPY?)',
      }),
      row('“did you mean” for flags', 'yes no', 'COPY --chmd=1 a b', {
        error: 'unknown flag: --chmd (did you mean chmod?)',
      }),
      row('“did you mean” for mount keys', 'yes no', 'RUN --mount=typ=bind b', { error: '(did you mean type?)' }),
      row('“did you mean” for variables', 'yes no', 'ENV NAME=1\nUSER $NAM', { warning: '(did you mean $NAME?)' }),
      row('errors name the column', 'no no', 'COPY \\\n  --x b c', { error: 'unknown flag: --x', at: '3:3' }),
    ],
  },
  {
    title: 'Variables',
    features: [
      row('`$x`, `${x}`', 'yes yes', 'ENV A=1\nENV B=$A${A}', { config: { Env: ['B=11'] } }),
      row('`${x:-w}`, `${x:+w}`', 'yes yes', 'ENV A=\nENV B=${A:-1}${A:+2}', { config: { Env: ['B=1'] } }),
      row('`${x-w}`, `${x+w}`', 'yes no', 'ENV A=\nENV B=${A-1}${A+2}', { config: { Env: ['B=2'] } }),
      row('`${x:?m}`, `${x?m}`', 'yes partly', 'ENV B=${A:?unset}', { error: 'A: unset' }),
      row('`${x#p}`, `${x##p}`', 'yes partly', 'ENV A=a.b.c\nENV B=${A#*.}-${A##*.}', { config: { Env: ['B=b.c-c'] } }),
      row('`${x%p}`, `${x%%p}`', 'yes partly', 'ENV A=a.b.c\nENV B=${A%.*}-${A%%.*}', { config: { Env: ['B=a.b-a'] } }),
      row('`${x/p/r}`, `${x//p/r}`', 'yes partly', 'ENV A=a.b.c\nENV B=${A/./-}${A//./-}', {
        config: { Env: ['B=a-b.ca-b-c'] },
      }),
      row('one within another', 'yes partly', 'ENV B=${A:-${C:-x}}', { config: { Env: ['B=x'] } }),
      row('single quotes and escapes keep a dollar', 'yes yes', "ENV A='$x' B=\\$x", {
        config: { Env: ['A=$x', 'B=$x'] },
      }),
      row('all of a line sees what was set before it', 'yes yes', 'ENV A=1\nENV A=2 B=$A', {
        config: { Env: ['B=1'] },
      }),
      row(
        'in ADD, COPY, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR',
        'yes yes',
        'ENV A=b\nWORKDIR /$A\nCOPY $A /$A',
        {
          step: { destination: '/b' },
        },
      ),
      row('in `--chown` and `--chmod`', 'yes yes', 'ARG O=1:2 M=0600\nCOPY --chown=$O --chmod=$M a b', {
        step: { owner: '1:2', mode: '0600' },
      }),
      row('in `--mount`', 'yes yes', 'ARG D=/c\nRUN --mount=type=cache,target=$D a', {
        step: { mounts: [{ type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'shared' }] },
      }),
      row('not in RUN: its shell expands', 'yes yes', 'ENV A=1\nRUN echo $A', {
        step: { args: ['/bin/sh', '-c', 'echo $A'] },
      }),
      row('in COPY --from: an error', 'yes no', 'COPY --from=$X a b', {
        error: 'variable expansion is not supported for --from',
      }),
      row('EXPOSE splits a variable into words', 'yes yes', 'ARG P="80 81"\nEXPOSE $P', {
        config: { ExposedPorts: ['80/tcp', '81/tcp'] },
      }),
    ],
  },
  {
    title: 'ARG and the names that are always there',
    features: [
      row('ARG before FROM, for FROM', 'yes yes', 'ARG V=1\nFROM a:$V', { steps: ['[1/1] FROM a:1'] }),
      row('… and for stages that name it', 'yes yes', 'ARG V=1\nFROM a\nARG V\nENV W=$V', { config: { Env: ['W=1'] } }),
      row('… and not for others', 'yes yes', 'ARG V=1\nFROM a\nENV W=$V', { config: { Env: ['W='] } }),
      row('several on a line, from left to right', 'yes no', 'ARG A=1 B=${A}2\nENV C=$B', {
        config: { Env: ['C=12'] },
      }),
      row('ENV beats ARG', 'yes yes', 'ENV A=1\nARG A=2\nENV B=$A', { config: { Env: ['A=1', 'B=2'] } }),
      row('a stage has the ARGs of its base stage', 'yes yes', 'FROM a AS x\nARG A=1\nFROM x\nENV B=$A', {
        config: { Env: ['B=1'] },
      }),
      row('TARGETPLATFORM and its parts, BUILDPLATFORM and its parts', 'yes yes', 'ARG TARGETARCH\nENV A=$TARGETARCH', {
        config: { Env: ['A=amd64'] },
      }),
      row(
        'TARGETSTAGE, TARGETOSVERSION, BUILDOSVERSION',
        'yes no',
        'FROM a AS x\nARG TARGETSTAGE\nENV A=$TARGETSTAGE',
        {
          config: { Env: ['A=x'] },
        },
      ),
      givenRow(
        row('… which `--build-arg` can set', 'yes partly', 'ARG TARGETARCH\nENV A=$TARGETARCH', {
          config: { Env: ['A=z80'] },
        }),
        '--build-arg TARGETARCH=z80',
        { buildArgs: { TARGETARCH: 'z80' } },
      ),
      givenRow(
        row('proxies reach RUN in both spellings, and neither history nor cache', 'yes yes', 'RUN x', {
          step: { proxyEnv: ['HTTP_PROXY=p', 'http_proxy=p'] },
        }),
        '--build-arg http_proxy=p',
        { buildArgs: { http_proxy: 'p' } },
      ),
      givenRow(
        row('BUILDKIT_CACHE_MOUNT_NS, BUILDKIT_DOCKERFILE_CHECK', 'yes no', 'RUN --mount=type=cache,target=/c x', {
          step: { mounts: [{ type: 'cache', id: 'n//c', target: '/c', readOnly: false, sharing: 'shared' }] },
        }),
        '--build-arg BUILDKIT_CACHE_MOUNT_NS=n',
        { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: 'n' } },
      ),
      row('SOURCE_DATE_EPOCH must be a time', 'yes partly', 'ARG SOURCE_DATE_EPOCH=soon\nFROM a', {
        error: 'invalid SOURCE_DATE_EPOCH: soon',
      }),
    ],
  },
  {
    title: 'Stages',
    features: [
      row('FROM image, stage, scratch', 'yes yes', 'FROM a AS x\nRUN 1\nFROM x\nRUN 2', {
        steps: ['[x 1/2] FROM a', '[x 2/2] RUN 1', '[stage-1 1/1] RUN 2'],
      }),
      row('FROM --platform', 'yes yes', 'FROM --platform=linux/arm64 a', {
        step: { platform: { os: 'linux', architecture: 'arm64' } },
      }),
      row('names know no case', 'yes yes', 'FROM a AS Build\nRUN 1\nFROM b\nCOPY --from=BUILD / /', {
        steps: [
          '[build 1/2] FROM a',
          '[build 2/2] RUN 1',
          '[stage-1 1/2] FROM b',
          '[stage-1 2/2] COPY --from=BUILD / /',
        ],
      }),
      row('COPY --from a number', 'yes yes', 'FROM a\nRUN 1\nFROM scratch\nCOPY --from=0 / /', {
        step: { sources: [{ kind: 'path', from: { kind: 'step', step: 's1' }, path: '/' }] },
      }),
      row('stages that nothing needs are left out', 'yes yes', 'FROM a AS x\nRUN 1\nFROM b', {
        steps: ['[stage-1 1/1] FROM b'],
      }),
      row('circles are found', 'yes partly', 'FROM a AS x\nCOPY --from=x / /', {
        error: 'circular dependency detected on stage: x',
      }),
      givenRow(
        row('a named context in place of an image', 'yes partly', 'FROM a\nCOPY --from=b / /', {
          step: { sources: [{ kind: 'path', from: { kind: 'context', name: 'b' }, path: '/' }] },
        }),
        '--build-context b=./folder',
        { contexts: { b: 'tree' } },
      ),
      givenRow(
        row('… or of a stage', 'yes no', 'FROM a AS x\nRUN 1\nFROM x\nRUN 2', {
          steps: ['[stage-1 1/2] FROM x', '[stage-1 2/2] RUN 2'],
        }),
        '--build-context x=docker-image://b',
        { contexts: { x: 'image' } },
      ),
      row('a comment that begins with the stage’s name describes it', 'yes no', '# shop sells\nFROM a AS shop', {
        description: 'sells',
      }),
      row('ONBUILD of a base stage', 'yes yes', 'FROM a AS x\nONBUILD ENV A=1\nFROM x', { config: { Env: ['A=1'] } }),
    ],
  },
  {
    title: 'RUN',
    features: [
      row('shell form and JSON form', 'yes yes', 'RUN ["a", "b c"]', { step: { args: ['a', 'b c'] } }),
      row('heredoc as script', 'yes yes', 'RUN <<E\nset -e\nmake\nE', {
        step: { args: ['/bin/sh', '-c', 'set -e\nmake\n'] },
      }),
      row('heredoc with an interpreter of its own', 'yes yes', 'RUN <<E\n#!/bin/x\ny\nE', {
        step: { args: ['/bin/sh', '-c', '/dev/pipes/E'], pipes: [{ name: 'E', content: '#!/bin/x\ny\n' }] },
      }),
      row('several heredocs, file descriptors, `<<-`', 'yes yes', 'RUN cat <<-A 3<<B\n\tx\n\tA\ny\nB', {
        step: { args: ['/bin/sh', '-c', 'cat <<-A 3<<B\n\tx\nA\ny\nB'] },
      }),
      row('`--mount=type=bind`: from, source, target, rw', 'yes yes', 'RUN --mount=target=/x,source=y,rw z', {
        step: { mounts: [{ type: 'bind', from: { kind: 'context' }, source: '/y', target: '/x', readWrite: true }] },
      }),
      row(
        '`--mount=type=cache`: id, sharing, from, source, mode, uid, gid',
        'yes partly',
        'RUN --mount=type=cache,target=/x,id=i,sharing=private,mode=0700,uid=1,gid=2 y',
        {
          step: {
            mounts: [
              {
                type: 'cache',
                id: 'i',
                target: '/x',
                readOnly: false,
                sharing: 'private',
                mode: 0o700,
                uid: 1,
                gid: 2,
              },
            ],
          },
        },
      ),
      row('`--mount=type=tmpfs`: size', 'yes yes', 'RUN --mount=type=tmpfs,target=/x,size=1m y', {
        step: { mounts: [{ type: 'tmpfs', target: '/x', size: 1048576 }] },
      }),
      row(
        '`--mount=type=secret`: id, target, env, required, mode, uid, gid',
        'yes yes',
        'RUN --mount=type=secret,id=s,env=S,required y',
        {
          step: { mounts: [{ type: 'secret', id: 's', env: 'S', required: true }] },
        },
      ),
      row('`--mount=type=ssh`: id, target, required, mode, uid, gid', 'yes yes', 'RUN --mount=type=ssh,id=k y', {
        step: { mounts: [{ type: 'ssh', id: 'k', required: false }] },
      }),
      row('`--network`', 'yes yes', 'RUN --network=none x', { step: { network: 'none' } }),
      row('`--security`', 'yes no', 'RUN --security=insecure x', { step: { security: 'insecure' } }),
      row('`--device`: read, and said not to be supported', 'yes no', 'RUN --device=v.com/gpu=all x', {
        warning: '--device=v.com/gpu=all is not supported and has no effect',
      }),
    ],
  },
  {
    title: 'COPY and ADD',
    features: [
      row('several sources', 'yes yes', 'COPY a b c/', { step: { destination: '/c/' } }),
      row('JSON form', 'yes yes', 'COPY ["a b", "c"]', { step: { destination: '/c' } }),
      row('`--from` a stage, an image, a named context', 'yes yes', 'COPY --from=b / /', {
        steps: ['[1/2] FROM a', 'FROM b', '[2/2] COPY --from=b / /'],
      }),
      row('`--chown`', 'yes yes', 'COPY --chown=u:g a b', { step: { owner: 'u:g' } }),
      row('`--chmod` in octal', 'yes yes', 'COPY --chmod=0755 a b', { step: { mode: '0755' } }),
      row('`--chmod` in symbols', 'yes no', 'COPY --chmod=u=rwX,go=rX a b', { step: { mode: 'u=rwX,go=rX' } }),
      row('`--link`', 'yes yes', 'COPY --link a b', { step: { link: true } }),
      row('`--parents`, with a pivot', 'yes yes', 'COPY --parents a/./b/c d/', {
        step: { parents: true, sources: [{ kind: 'path', from: { kind: 'context' }, path: '/a/./b/c' }] },
      }),
      row('`--exclude`', 'yes yes', 'COPY --exclude=*.md --exclude=x a b', { step: { exclude: ['*.md', 'x'] } }),
      row('heredocs as files', 'yes yes', 'ENV A=1\nCOPY <<E /f\n$A\nE', {
        step: { sources: [{ kind: 'inline', name: 'E', content: '1\n' }] },
      }),
      row('quoted heredocs are not expanded', 'yes yes', 'COPY <<"E" /f\n$A\nE', {
        step: { sources: [{ kind: 'inline', name: 'E', content: '$A\n' }] },
      }),
      row('ADD of archives, `--unpack`', 'yes partly', 'ADD --unpack=false a.tar b', { step: { unpack: 'never' } }),
      row('ADD of URLs, `--checksum`', 'yes yes', `ADD --checksum=sha256:${'0'.repeat(64)} https://example.com/x /`, {
        step: { sources: [{ kind: 'url', url: 'https://example.com/x', checksum: `sha256:${'0'.repeat(64)}` }] },
      }),
      row(
        'ADD of git repositories, with their query',
        'yes partly',
        'ADD https://example.com/x.git?tag=v1&subdir=y /',
        {
          step: { sources: [{ kind: 'git', url: 'https://example.com/x.git?tag=v1&subdir=y', keepGitDir: false }] },
        },
      ),
      row('`--keep-git-dir`', 'yes no', 'ADD --keep-git-dir https://example.com/x.git /', {
        step: { sources: [{ kind: 'git', url: 'https://example.com/x.git', keepGitDir: true }] },
      }),
    ],
  },
  {
    title: '.dockerignore',
    features: [
      row('names, `*`, `?`, classes', 'yes yes', 'a\n*.md\n?x\n[b-d]', {
        excluded: ['a/b', 'x.md', 'yx', 'c'],
        kept: ['e/a', 'e/x.md', 'x'],
      }),
      row('`**`', 'yes yes', '**/a\nb/**/*.go', { excluded: ['a', 'x/y/a', 'b/c/d.go'], kept: ['b/c.c'] }),
      row('`!`: the last match wins', 'yes yes', '*.md\n!README*.md\nREADME-x.md', {
        excluded: ['a.md', 'README-x.md'],
        kept: ['README.md'],
      }),
      row('an excluded folder takes all with it, but for what comes back', 'yes yes', 'a\n!a/b', {
        excluded: ['a/c'],
        kept: ['a/b', 'a/b/d'],
      }),
      row('comments, blanks, leading slashes, byte order mark', 'yes yes', '\ufeff# why\n  /a/ ', {
        excluded: ['a'],
        kept: ['# why'],
      }),
      row('a folder below one that came back', 'no no', '*\n!dir/**/*.go\ndir/skip', {
        excluded: ['dir/skip/c.go'],
        kept: ['dir/a.go', 'dir/s/d.go'],
      }),
    ],
  },
  {
    title: 'The rest',
    features: [
      row('ENV and LABEL in both forms', 'yes yes', 'ENV A b  c\nLABEL d=e', {
        config: { Env: ['A=b  c'], Labels: { d: 'e' } },
      }),
      row('CMD and ENTRYPOINT heed SHELL', 'yes no', 'SHELL ["bash", "-c"]\nCMD a', {
        config: { Cmd: ['bash', '-c', 'a'] },
      }),
      row('ENTRYPOINT clears an inherited CMD', 'yes yes', 'FROM a AS x\nCMD ["b"]\nFROM x\nENTRYPOINT ["c"]', {
        config: { Cmd: undefined },
      }),
      row('EXPOSE with ranges and protocols', 'yes no', 'EXPOSE 80-81/UDP', {
        config: { ExposedPorts: ['80/udp', '81/udp'] },
      }),
      row('HEALTHCHECK with all its times', 'yes yes', 'HEALTHCHECK --interval=5s --start-interval=1s CMD a', {
        config: { Healthcheck: { Test: ['CMD-SHELL', 'a'], Interval: 5e9, StartInterval: 1e9 } },
      }),
      row('STOPSIGNAL is checked', 'yes no', 'STOPSIGNAL SIGTREM', {
        error: 'invalid signal: SIGTREM (did you mean SIGTERM?)',
      }),
      row('USER, VOLUME, WORKDIR', 'yes yes', 'USER u\nVOLUME /v\nWORKDIR /w\nWORKDIR x', {
        config: { User: 'u', Volumes: ['/v'], WorkingDir: '/w/x' },
      }),
      row('MAINTAINER, with a warning', 'yes yes', 'MAINTAINER me', {
        warning: 'Maintainer instruction is deprecated in favor of using label',
      }),
      row('ONBUILD, also with heredocs', 'yes yes', 'ONBUILD RUN <<E\na\nE', {
        config: { OnBuild: ['RUN <<E\na\nE'] },
      }),
      row('ONBUILD of ONBUILD, FROM, MAINTAINER: errors', 'yes partly', 'ONBUILD FROM b', {
        error: "FROM isn't allowed as an ONBUILD trigger",
      }),
    ],
  },
];
