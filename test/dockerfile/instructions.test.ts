import { describe, expect, it } from '@jest/globals';
import { type GraphOptions, graphOf, lastStep, ownHistory } from './build-inputs.ts';

const good: readonly (readonly [text: string, history: string])[] = [
  ['RUN make', '* RUN /bin/sh -c make # buildkit'],
  ['RUN ["make", "all"]', '* RUN make all # buildkit'],
  ['RUN', '* RUN /bin/sh -c  # buildkit'],
  ['CMD a b', 'CMD ["/bin/sh" "-c" "a b"]'],
  ['CMD ["a", "b c"]', 'CMD ["a" "b c"]'],
  ['CMD []', 'CMD []'],
  ['CMD', 'CMD ["/bin/sh" "-c" ""]'],
  ['ENTRYPOINT ["a\\"b"]', 'ENTRYPOINT ["a\\"b"]'],
  ['ENV A=1 B="x y"', 'ENV A=1 B=x y'],
  ['ENV A 1  2', 'ENV A=1  2'],
  ['ENV A=', 'ENV A='],
  ['LABEL a=b "c d"=e', 'LABEL a=b c d=e'],
  ['ARG A', 'ARG A'],
  ['ARG A=1 B', 'ARG A=1 B'],
  ['USER ann:users', 'USER ann:users'],
  ['WORKDIR /a', '* WORKDIR /a'],
  ['WORKDIR a', '* WORKDIR /a'],
  ['WORKDIR /', 'WORKDIR /'],
  ['WORKDIR /a/', '* WORKDIR /a/'],
  ['VOLUME /a /b', 'VOLUME [/a /b]'],
  ['VOLUME ["/a", " /b "]', 'VOLUME [/a /b]'],
  ['VOLUME /v ["/w"]', 'VOLUME [/v ["/w"]]'.replaceAll('"', '')],
  ['EXPOSE 80', 'EXPOSE [80/tcp]'],
  ['EXPOSE 80-82/UDP', 'EXPOSE [80/udp 81/udp 82/udp]'],
  ['EXPOSE 90 80', 'EXPOSE [80/tcp 90/tcp]'],
  ['EXPOSE 80-80', 'EXPOSE [80/tcp]'],
  ['EXPOSE 8080:80', 'EXPOSE [80/tcp]'],
  ['EXPOSE 127.0.0.1:8080:80/tcp', 'EXPOSE [80/tcp]'],
  ['EXPOSE [::1]:8080:80', 'EXPOSE [80/tcp]'],
  ['EXPOSE 80/sctp', 'EXPOSE [80/sctp]'],
  ['EXPOSE 80/', 'EXPOSE [80/tcp]'],
  ['SHELL ["bash", "-xc"]', 'SHELL [bash -xc]'],
  ['STOPSIGNAL SIGTERM', 'STOPSIGNAL SIGTERM'],
  ['STOPSIGNAL term', 'STOPSIGNAL term'],
  ['STOPSIGNAL 9', 'STOPSIGNAL 9'],
  ['STOPSIGNAL SIGRTMIN+3', 'STOPSIGNAL SIGRTMIN+3'],
  ['MAINTAINER Ann <ann@example.com>', 'MAINTAINER Ann <ann@example.com>'],
  ['HEALTHCHECK NONE', 'HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}'],
  [
    'HEALTHCHECK --interval=1m30s --timeout=1.5s --retries=3 CMD true',
    'HEALTHCHECK {Test:[CMD-SHELL true] Interval:1m30s Timeout:1.5s StartPeriod:0s StartInterval:0s Retries:3}',
  ],
  [
    'HEALTHCHECK --start-period=2h --start-interval=250ms CMD ["true"]',
    'HEALTHCHECK {Test:[CMD true] Interval:0s Timeout:0s StartPeriod:2h0m0s StartInterval:250ms Retries:0}',
  ],
  [
    'HEALTHCHECK --interval=0s cmd true',
    'HEALTHCHECK {Test:[CMD-SHELL true] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}',
  ],
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
  ['ONBUILD RUN x', ''],
];

describe('an instruction in history', () => {
  it.each(good)('%s', (text, history) => {
    expect(ownHistory(`FROM a\n${text}`)).toEqual(history === '' ? [] : [history]);
  });
});

const bad: readonly (readonly [text: string, message: string])[] = [
  ['FORM a', 'line 2: unknown instruction: FORM (did you mean FROM?)'],
  ['copi x', 'unknown instruction: copi (did you mean copy?)'],
  ['XYZZY x', 'line 2: unknown instruction: XYZZY'],
  ['FROM', 'FROM requires either one or three arguments'],
  ['FROM a b', 'FROM requires either one or three arguments'],
  ['FROM a to b', 'FROM requires either one or three arguments'],
  ['FROM a AS 1b', 'invalid name for build stage: "1b", name can\'t start with a number or contain symbols'],
  ['FROM a AS b/c', 'invalid name for build stage: "b/c"'],
  ['FROM --paltform=x a', 'unknown flag: --paltform (did you mean platform?)'],
  ['FROM $NONE', 'base name ($NONE) should not be blank'],
  ['FROM ${', "syntax error: missing '}'"],
  ['FROM --platform=$NONE a', 'empty platform value from expression $NONE'],
  ['FROM --platform=a/b/c/d/e a', 'failed to parse platform a/b/c/d/e'],
  [
    'FROM --platform=$TARGETPLATFROM a',
    'empty platform value from expression $TARGETPLATFROM (did you mean TARGETPLATFORM?)',
  ],
  ['FROM UPPER/Case', 'failed to parse stage name "UPPER/Case": invalid reference format'],
  ['FROM a:b:c', 'invalid reference format'],
  ['RUN --mont=x y', 'unknown flag: --mont (did you mean mount?)'],
  ['RUN --network=lan y', 'invalid network mode "lan"'],
  ['RUN --security=none y', 'security "none" is not valid'],
  ['RUN --network=none --network=none y', 'duplicate flag specified: --network'],
  ['RUN --network y', 'missing a value on flag: --network'],
  ['RUN []', 'RUN requires a command'],
  ['RUN --mount=type=bnid,target=/x y', 'unsupported mount type "bnid" (did you mean bind?)'],
  ['RUN --mount=type=cache,targt=/x y', "unexpected key 'targt' in 'targt=/x' (did you mean target?)"],
  ['RUN --mount=type=cache,target=/x,sharing=lock y', 'unsupported sharing value "lock" (did you mean locked?)'],
  ['RUN --mount=type=cache,/x y', "invalid field '/x' must be a key=value pair"],
  ['RUN --mount=type=cache,target=/x,ro=maybe y', 'invalid value for ro: maybe'],
  ['RUN --mount=type=cache,target=/x,mode=9 y', 'invalid value 9 for mode'],
  ['RUN --mount=type=cache,target=/x,uid=-1 y', 'invalid value -1 for uid'],
  ['RUN --mount=type=bind,target=/x,mode=0755 y', 'mode not allowed for "bind" type mounts'],
  ['RUN --mount=type=tmpfs,target=/x,gid=1 y', 'gid not allowed for "tmpfs" type mounts'],
  ['RUN --mount=type=tmpfs,target=/x,size=big y', 'invalid value for size: big'],
  ['RUN --mount=type=cache,target=/x,size=1m y', "unexpected key 'size' for mount type 'cache'"],
  ['RUN --mount=type=cache,target=/x,required y', "unexpected key 'required' for mount type 'cache'"],
  ['RUN --mount=type=secret y', 'invalid secret mount. one of source, target required'],
  ['RUN --mount=type=secret,id=a,source=b y', "both source and id can't be set"],
  ['RUN --mount=type=secret,id=a,from=b y', 'secret mount should not have a from'],
  ['RUN --mount=type=secret,id=a,sharing=shared y', 'secret mount should not define sharing'],
  ['RUN --mount=type=ssh,source=x y', 'ssh does not support source'],
  ['RUN --mount=type=bind,target=/x,sharing=shared y', 'invalid cache sharing set for bind mount'],
  ['RUN --mount=type=bind,target=/ y', 'invalid mount target "/"'],
  ['RUN --mount=target=/x,from=$A y', "'from' doesn't support variable expansion, define alias stage instead"],
  ['RUN --device=a,b y', "invalid field 'b' must be a key=value pair"],
  ['CMD --x a', 'unknown flag: --x'],
  ['ENV', 'ENV requires at least one argument'],
  ['ENV =1', 'ENV names can not be blank'],
  ['ENV --x A=1', 'unknown flag: --x'],
  ['LABEL', 'LABEL requires at least one argument'],
  ['LABEL =1', 'LABEL names can not be blank'],
  ['ARG', 'ARG requires at least one argument'],
  ['ARG =1', 'ARG names can not be blank'],
  ['USER', 'USER requires exactly one argument'],
  ['WORKDIR', 'WORKDIR requires exactly one argument'],
  ['STOPSIGNAL', 'STOPSIGNAL requires exactly one argument'],
  ['STOPSIGNAL SIGTREM', 'invalid signal: SIGTREM (did you mean TERM?)'],
  ['STOPSIGNAL 0', 'invalid signal: 0'],
  ['MAINTAINER', 'MAINTAINER requires exactly one argument'],
  ['VOLUME', 'VOLUME requires at least one argument'],
  ['VOLUME ["/a", " "]', 'VOLUME specified can not be an empty string'],
  ['VOLUME $NONE', 'VOLUME specified can not be an empty string'],
  ['EXPOSE', 'EXPOSE requires at least one argument'],
  ['EXPOSE 90001', 'invalid containerPort: 90001'],
  ['EXPOSE 80-70', 'invalid containerPort: 80-70'],
  ['EXPOSE 80-', 'invalid containerPort: 80-'],
  ['EXPOSE http', 'invalid containerPort: http'],
  ['EXPOSE 80/icmp', 'invalid port: "80/icmp": invalid proto: icmp'],
  ['EXPOSE /tcp', 'invalid port: "/tcp": no port specified'],
  ['EXPOSE x:80:80', 'invalid IP address: x'],
  ['EXPOSE x:80', 'invalid hostPort: x'],
  ['EXPOSE 1-3:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 1-3'],
  ['SHELL', 'SHELL requires at least one argument'],
  ['SHELL []', 'SHELL requires at least one argument'],
  ['SHELL bash -c', 'SHELL requires the arguments to be in JSON form'],
  ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
  ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
  ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
  ['HEALTHCHECK TCP 80', 'Unknown type "TCP" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK --interval=10us CMD x', 'Interval "interval" cannot be less than 1ms'],
  ['HEALTHCHECK --timeout=-1s CMD x', 'Interval "timeout" cannot be less than 1ms'],
  ['HEALTHCHECK --interval=10 CMD x', 'time: missing unit in duration "10"'],
  ['HEALTHCHECK --interval=10q CMD x', 'time: unknown unit "q" in duration "10q"'],
  ['HEALTHCHECK --interval=soon CMD x', 'time: invalid duration "soon"'],
  ['HEALTHCHECK --retries=-1 CMD x', '--retries cannot be negative (-1)'],
  ['HEALTHCHECK --retries=x CMD x', '--retries must be a whole number, not "x"'],
  ['HEALTHCHECK --intrval=1s CMD x', 'unknown flag: --intrval (did you mean interval?)'],
  ['ONBUILD', 'ONBUILD requires at least one argument'],
  ['ONBUILD ONBUILD RUN x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
  ['ONBUILD maintainer x', "MAINTAINER isn't allowed as an ONBUILD trigger"],
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
];

describe('an instruction is refused', () => {
  it.each(bad)('%s', (text, message) => {
    expect(() => graphOf(`FROM a\n${text}`)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), range: { start: 2, end: 2 } }),
    );
  });

  it.each([
    ['RUN a', 'no build stage in current context'],
    ['ARG A', 'dockerfile contains no stages to build'],
  ])('without a stage: %s', (text, message) => {
    expect(() => graphOf(text)).toThrow(message);
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

const workdirs: readonly (readonly [lines: string, path: string])[] = [
  ['WORKDIR /a\nWORKDIR b', '/a/b'],
  ['WORKDIR /a\nWORKDIR b/../c', '/a/c'],
  ['WORKDIR /a\nWORKDIR ../..', '/'],
  ['WORKDIR /tmp/', '/tmp/'],
  ['WORKDIR /a\nWORKDIR b/', '/a/b'],
  ['WORKDIR /a\nWORKDIR $NONE', '/a'],
  ['ENV D=/x\nWORKDIR $D/y', '/x/y'],
];

describe('WORKDIR', () => {
  it.each(workdirs)('%j', (lines, path) => {
    expect(graphOf(`FROM a\n${lines}`).image.config.WorkingDir).toBe(path);
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

const mounts: readonly (readonly [mount: string, result: unknown, options?: GraphOptions])[] = [
  ['type=bind,target=/x', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/x', readWrite: false }],
  [
    'target=x,source=a/../b,rw',
    { type: 'bind', from: { kind: 'context' }, source: '/b', target: '/w/x', readWrite: true },
  ],
  [
    'dst=/x,src=/b,readonly=false',
    { type: 'bind', from: { kind: 'context' }, source: '/b', target: '/x', readWrite: true },
  ],
  ['from=scratch,target=/x', { type: 'bind', from: { kind: 'empty' }, source: '/', target: '/x', readWrite: false }],
  [
    'from=img,target=/x',
    { type: 'bind', from: { kind: 'step', step: 's2' }, source: '/', target: '/x', readWrite: false },
  ],
  [
    'from=ctx,target=/x',
    { type: 'bind', from: { kind: 'context', name: 'ctx' }, source: '/', target: '/x', readWrite: false },
    { contexts: { ctx: 'tree' } },
  ],
  ['type=cache,target=/c/', { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'shared' }],
  ['type=cache,target=c', { type: 'cache', id: 'c', target: '/w/c', readOnly: false, sharing: 'shared' }],
  [
    'type=cache,target=/c,id=k,sharing=LOCKED,ro,mode=0700,uid=1,gid=2',
    { type: 'cache', id: 'k', target: '/c', readOnly: true, sharing: 'locked', mode: 0o700, uid: 1, gid: 2 },
  ],
  [
    'type=cache,target=/c,from=img,source=d',
    {
      type: 'cache',
      id: '/c',
      target: '/c',
      readOnly: false,
      sharing: 'shared',
      from: { kind: 'step', step: 's2' },
      source: '/d',
    },
  ],
  [
    'type=cache,target=/c',
    { type: 'cache', id: 'ns//c', target: '/c', readOnly: false, sharing: 'shared' },
    { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: 'ns' } },
  ],
  ['type=tmpfs,target=/t', { type: 'tmpfs', target: '/t' }],
  ['type=tmpfs,target=/t,size=1.5g', { type: 'tmpfs', target: '/t', size: 1.5 * 2 ** 30 }],
  ['type=tmpfs,size=64MiB,target=/t', { type: 'tmpfs', target: '/t', size: 64 << 20 }],
  ['type=secret,id=a', { type: 'secret', id: 'a', target: '/run/secrets/a', required: false }],
  ['type=secret,id=a/b', { type: 'secret', id: 'a/b', target: '/run/secrets/b', required: false }],
  ['type=secret,target=/x/y', { type: 'secret', id: 'y', target: '/x/y', required: false }],
  ['type=secret,id=a,env=A', { type: 'secret', id: 'a', env: 'A', required: false }],
  ['type=secret,id=a,env=A,target=/x', { type: 'secret', id: 'a', target: '/x', env: 'A', required: false }],
  ['type=secret,id=a,required', { type: 'secret', id: 'a', target: '/run/secrets/a', required: true }],
  [
    'type=secret,id=a,mode=440,uid=5',
    { type: 'secret', id: 'a', target: '/run/secrets/a', required: false, mode: 0o440, uid: 5 },
  ],
  ['type=ssh', { type: 'ssh', id: 'default', required: false }],
  ['type=ssh,id=k,target=/s,required=true', { type: 'ssh', id: 'k', target: '/s', required: true }],
  ['type=cache,target=$D', { type: 'cache', id: '/d', target: '/d', readOnly: false, sharing: 'shared' }],
  ['"type=cache,target=/a b"', { type: 'cache', id: '/a b', target: '/a b', readOnly: false, sharing: 'shared' }],
];

describe('RUN --mount', () => {
  it.each(mounts)('%s', (mount, result, options = {}) => {
    expect(lastStep('run', `FROM a\nENV D=/d\nWORKDIR /w\nRUN --mount=${mount} x`, options).mounts).toEqual([result]);
  });
});
