import { describe, expect, it } from '@jest/globals';
import { type GraphOptions, graphOf, lastStep, ownHistory } from './build-inputs.ts';

const good: readonly (readonly [text: string, history: string])[] = [
  ['RUN make', '* RUN /bin/sh -c make # buildkit'],
  ['RUN ["make", "all"]', '* RUN make all # buildkit'],
  ['RUN', '* RUN /bin/sh -c  # buildkit'],
  ['run make', '* RUN /bin/sh -c make # buildkit'],
  ['RUN a "b" \'c\' $D \\e', '* RUN /bin/sh -c a "b" \'c\' $D \\e # buildkit'],
  ['RUN a  b', '* RUN /bin/sh -c a  b # buildkit'],
  ['RUN a # b', '* RUN /bin/sh -c a # b # buildkit'],
  ['RUN ["a b", "$C"]', '* RUN a b $C # buildkit'],
  ['RUN ["a"] b', '* RUN /bin/sh -c ["a"] b # buildkit'],
  ["RUN ['a']", "* RUN /bin/sh -c ['a'] # buildkit"],
  ['RUN -- --a', '* RUN /bin/sh -c --a # buildkit'],
  ['RUN a --network=none', '* RUN /bin/sh -c a --network=none # buildkit'],
  ['RUN --network=default a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --network=none a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --network=host a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --security=sandbox a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --security=insecure a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --device=vendor.com/gpu=all a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --device=vendor.com/gpu=all,required a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --device=name=vendor.com/gpu,required=false a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --device=x --device=y a', '* RUN /bin/sh -c a # buildkit'],
  ['RUN --mount=type=cache,target=/x --network=none ["a"]', '* RUN a # buildkit'],
];

describe('RUN in history', () => {
  it.each(good)('%s', (text, history) => {
    expect(ownHistory(`FROM a\n${text}`)).toEqual(history === '' ? [] : [history]);
  });
});

const bad: readonly (readonly [text: string, message: string])[] = [
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
  ['RUN ["a", 1]', 'arrays must be comprised of strings only'],
  ['RUN --network= y', 'invalid network mode ""'],
  ['RUN --network=NONE y', 'invalid network mode "NONE"'],
  ['RUN --security= y', 'security "" is not valid'],
  ['RUN --security y', 'missing a value on flag: --security'],
  ['RUN --security=sandbox --security=sandbox y', 'duplicate flag specified: --security'],
  ['RUN --mount y', 'missing a value on flag: --mount'],
  ['RUN --mount= y', 'failed to parse csv mounts: nothing is there'],
  ['RUN --mount=\\"a\\"b y', 'failed to parse csv mounts: a quote is out of place in "a"b'],
  ['RUN --mount=type= y', 'unsupported mount type ""'],
  ['RUN --mount=type=volume,target=/x y', 'unsupported mount type "volume"'],
  ['RUN --mount=type=bind y', 'invalid mount target "/"'],
  ['RUN --mount=type=cache y', 'invalid mount target "/"'],
  ['RUN --mount=type=tmpfs y', 'invalid mount target "/"'],
  ['RUN --mount=type=cache,target=/../ y', 'invalid mount target "/"'],
  ['RUN --mount=type=secret,id=a,target=/ y', 'invalid mount target "/"'],
  ['RUN --mount=type=cache,target=/x,foo=1 y', "unexpected key 'foo' in 'foo=1'"],
  ['RUN --mount=type=cache,target=/x,foo y', "invalid field 'foo' must be a key=value pair"],
  ['RUN --mount=type=cache,target=/x, y', "invalid field '' must be a key=value pair"],
  ['RUN --mount=type=cache,target y', "invalid field 'target' must be a key=value pair"],
  ['RUN --mount=type=cache,target=/x,rw=2 y', 'invalid value for rw: 2'],
  ['RUN --mount=type=cache,target=/x,readonly=no y', 'invalid value for readonly: no'],
  ['RUN --mount=type=cache,target=/x,readwrite=no y', 'invalid value for readwrite: no'],
  ['RUN --mount=type=secret,id=a,required=maybe y', 'invalid value for required: maybe'],
  ['RUN --mount=type=cache,target=/x,mode= y', 'invalid value  for mode'],
  ['RUN --mount=type=cache,target=/x,mode=0x1 y', 'invalid value 0x1 for mode'],
  ['RUN --mount=type=cache,target=/x,uid=ann y', 'invalid value ann for uid'],
  ['RUN --mount=type=cache,target=/x,gid=4294967296 y', 'invalid value 4294967296 for gid'],
  ['RUN --mount=type=bind,target=/x,uid=1 y', 'uid not allowed for "bind" type mounts'],
  ['RUN --mount=type=bind,target=/x,gid=1 y', 'gid not allowed for "bind" type mounts'],
  ['RUN --mount=type=tmpfs,target=/x,mode=1 y', 'mode not allowed for "tmpfs" type mounts'],
  ['RUN --mount=type=tmpfs,target=/x,uid=1 y', 'uid not allowed for "tmpfs" type mounts'],
  ['RUN --mount=type=tmpfs,target=/x,size= y', 'invalid value for size: '],
  ['RUN --mount=type=tmpfs,target=/x,size=-1 y', 'invalid value for size: -1'],
  ['RUN --mount=type=tmpfs,target=/x,size=1x y', 'invalid value for size: 1x'],
  ['RUN --mount=type=bind,target=/x,size=1 y', "unexpected key 'size' for mount type 'bind'"],
  ['RUN --mount=type=secret,id=x,size=1 y', "unexpected key 'size' for mount type 'secret'"],
  ['RUN --mount=size=1,type=tmpfs,target=/x y', "unexpected key 'size' for mount type 'bind'"],
  ['RUN --mount=target=/x,required y', "unexpected key 'required' for mount type 'bind'"],
  ['RUN --mount=type=tmpfs,target=/x,required y', "unexpected key 'required' for mount type 'tmpfs'"],
  ['RUN --mount=type=ssh,sharing=shared y', 'invalid cache sharing set for ssh mount'],
  ['RUN --mount=type=tmpfs,target=/x,sharing=locked y', 'invalid cache sharing set for tmpfs mount'],
  ['RUN --mount=type=cache,target=/x,from=${A} y', "'from' doesn't support variable expansion"],
  ['RUN --mount=target=/x,from=UPPER/Case y', 'failed to parse stage name "UPPER/Case": invalid reference format'],
  ['RUN --mount=type=cache,target=${A?where} y', 'A: where'],
  ['RUN --mount=type=cache,target=${A y', "syntax error: missing '}'"],
  ['RUN --device= y', 'failed to parse csv devices: nothing is there'],
  ['RUN --device y', 'missing a value on flag: --device'],
  ['RUN --device=a,name=b y', 'device name already set to a'],
  ['RUN --device=a,required=maybe y', 'invalid value for required: maybe'],
  ['RUN --device=a,foo=b y', "unexpected key 'foo' in 'foo=b'"],
  ['RUN --device=a,requierd=1 y', "unexpected key 'requierd' in 'requierd=1' (did you mean required?)"],
  ['RUN --device=\\"a y', 'failed to parse csv devices: a quote is out of place'],
];

describe('RUN is refused', () => {
  it.each(bad)('%s', (text, message) => {
    expect(() => graphOf(`FROM a\n${text}`)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), range: { start: 2, end: 2 } }),
    );
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
  ['TYPE=bind,TARGET=/x', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/x', readWrite: false }],
  [
    'type=BIND,destination=x',
    { type: 'bind', from: { kind: 'context' }, source: '/', target: '/w/x', readWrite: false },
  ],
  ['target=/x,rw', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/x', readWrite: true }],
  ['target=/x,readwrite=true', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/x', readWrite: true }],
  ['target=/x,rw=false', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/x', readWrite: false }],
  ['target=/x,rw,ro', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/x', readWrite: false }],
  ['target=/x,ro=0', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/x', readWrite: true }],
  [
    'target=/x,source=../../s',
    { type: 'bind', from: { kind: 'context' }, source: '/s', target: '/x', readWrite: false },
  ],
  ['target=/a/../x/', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/x', readWrite: false }],
  ['target=/x,target=/y', { type: 'bind', from: { kind: 'context' }, source: '/', target: '/y', readWrite: false }],
  ['target=/x,source=$D', { type: 'bind', from: { kind: 'context' }, source: '/d', target: '/x', readWrite: false }],
  [
    'type=cache,target=/c,sharing=shared',
    { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'shared' },
  ],
  [
    'type=cache,target=/c,sharing=private',
    { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'private' },
  ],
  [
    'type=cache,target=/c,sharing=locked',
    { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'locked' },
  ],
  ['type=cache,target=/c,readonly', { type: 'cache', id: '/c', target: '/c', readOnly: true, sharing: 'shared' }],
  ['type=cache,target=/c,ro,rw', { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'shared' }],
  ['type=cache,target=/c,id=$D', { type: 'cache', id: '/d', target: '/c', readOnly: false, sharing: 'shared' }],
  ['type=cache,target=/a/../c', { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'shared' }],
  [
    'type=cache,target=/c,mode=755',
    { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'shared', mode: 0o755 },
  ],
  [
    'type=cache,target=/c,uid=0,gid=0',
    { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'shared', uid: 0, gid: 0 },
  ],
  ['type=$T,target=/c', { type: 'cache', id: '/c', target: '/c', readOnly: false, sharing: 'shared' }],
  ['type=tmpfs,target=/t,size=0', { type: 'tmpfs', target: '/t', size: 0 }],
  ['type=tmpfs,target=/t,size=100', { type: 'tmpfs', target: '/t', size: 100 }],
  ['type=tmpfs,target=/t,size=1K', { type: 'tmpfs', target: '/t', size: 1024 }],
  ['type=tmpfs,target=/t,size=2mb', { type: 'tmpfs', target: '/t', size: 2 << 20 }],
  ['type=tmpfs,target=/t,size=1T', { type: 'tmpfs', target: '/t', size: 2 ** 40 }],
  ['type=secret,source=a', { type: 'secret', id: 'a', target: '/run/secrets/a', required: false }],
  ['type=secret,id=a,target=b', { type: 'secret', id: 'a', target: '/b', required: false }],
  ['type=secret,id=a,env=', { type: 'secret', id: 'a', env: 'a', required: false }],
  ['type=secret,id=a,env=$E', { type: 'secret', id: 'a', env: 'e', required: false }],
  ['type=secret,id=$E', { type: 'secret', id: 'e', target: '/run/secrets/e', required: false }],
  ['type=secret,id=a,required=false', { type: 'secret', id: 'a', target: '/run/secrets/a', required: false }],
  ['type=secret,id=a,gid=9', { type: 'secret', id: 'a', target: '/run/secrets/a', required: false, gid: 9 }],
  ['type=ssh,id=', { type: 'ssh', id: 'default', required: false }],
  ['type=ssh,mode=0600,uid=1,gid=2', { type: 'ssh', id: 'default', required: false, mode: 0o600, uid: 1, gid: 2 }],
  ['type=ssh,target=s', { type: 'ssh', id: 'default', target: '/s', required: false }],
];

describe('RUN --mount', () => {
  it.each(mounts)('%s', (mount, result, options = {}) => {
    expect(lastStep('run', `FROM a\nENV D=/d E=e T=cache\nWORKDIR /w\nRUN --mount=${mount} x`, options).mounts).toEqual(
      [result],
    );
  });
});

describe('RUN', () => {
  it.each([
    ['', 'default', 'sandbox'],
    ['--network=default', 'default', 'sandbox'],
    ['--network=none', 'none', 'sandbox'],
    ['--network=host', 'host', 'sandbox'],
    ['--security=insecure', 'default', 'insecure'],
    ['--security=sandbox --network=none', 'none', 'sandbox'],
  ])('%s', (flags, network, security) => {
    expect(lastStep('run', `FROM a\nRUN ${flags} x`)).toMatchObject({ network, security });
  });

  it('keeps its mounts in order', () => {
    const text = 'FROM a\nRUN --mount=type=tmpfs,target=/b --mount=type=tmpfs,target=/a --mount=type=ssh x';
    expect(lastStep('run', text).mounts.map(({ target }) => target)).toEqual(['/b', '/a', undefined]);
  });

  it('gives the arguments of JSON as they are', () => {
    expect(lastStep('run', 'FROM a\nENV A=1\nRUN ["a", "$A", ""]').args).toEqual(['a', '$A', '']);
  });

  it('gives the shell one text', () => {
    expect(lastStep('run', 'FROM a\nRUN a \\\n  "b"').args).toEqual(['/bin/sh', '-c', 'a   "b"']);
  });
});
