import { describe, expect, it } from '@jest/globals';
import { parseDotenv } from '../../../src/build/bake/compose/dotenv.ts';
import { interpolate } from '../../../src/build/bake/compose/interpolate.ts';
import { print } from './worth.ts';

describe('a compose file', () => {
  it('gives a target for each service that is built', async () => {
    const text = `
x-args: &args
  A: "1"
services:
  web:
    image: img:\${TAG:-v1}
    build:
      context: ./dir/
      dockerfile: D
      args:
        <<: *args
        B: 2
        SET:
        UNSET:
      labels: [a=b, c]
      target: t
      platforms: [linux/amd64]
      cache_from: [a/b, "type=local,src=dir"]
      cache_to: ["type=local,dest=dir"]
      network: host
      shm_size: 128m
      extra_hosts: ["h=1.2.3.4", "i:5.6.7.8"]
      ulimits: { nproc: 65535, nofile: { soft: 10, hard: 20 } }
      secrets: [s1, { source: s2 }]
      ssh: [default]
      no_cache: true
      pull: "true"
      additional_contexts:
        r: ./sub
        i: docker-image://x
        s: service:d.b
  d.b:
    build: ./sub
  only:
    image: nothing
secrets:
  s1: { file: ./a }
  s2: { environment: HOME }
`;
    const found = await print({ 'compose.yaml': text }, { names: ['default'], environment: { SET: 'x' } });
    expect(found.group).toEqual({ default: { targets: ['d_b', 'web'] } });
    expect(found.target['web']).toEqual({
      context: 'dir',
      contexts: { i: 'docker-image://x', r: 'sub', s: 'target:d_b' },
      dockerfile: 'D',
      args: { A: '1', B: '2', SET: 'x' },
      labels: { a: 'b', c: '' },
      tags: ['img:v1'],
      'cache-from': [
        { ref: 'a/b', type: 'registry' },
        { src: 'dir', type: 'local' },
      ],
      'cache-to': [{ dest: 'dir', type: 'local' }],
      target: 't',
      secret: [
        { id: 's1', src: 'a' },
        { id: 's2', env: 'HOME' },
      ],
      ssh: [{ id: 'default' }],
      platforms: ['linux/amd64'],
      pull: true,
      'no-cache': true,
      network: 'host',
      'shm-size': '128MiB',
      ulimits: ['nproc=65535:65535', 'nofile=10:20'],
      entitlements: ['network.host'],
      'extra-hosts': { h: '1.2.3.4', i: '5.6.7.8' },
    });
  });

  it('says with x-bake what compose has no word for', async () => {
    const text = `
services:
  app:
    build:
      context: .
      tags: [t0]
      sbom: true
      provenance: mode=max
      x-bake:
        tags: [t1, t2]
        platforms: linux/amd64 linux/arm64
        output: type=local,dest=out
        no-cache: true
        no-cache-filter: [s]
        contexts: { z: "target:b.c" }
        cache-from: [u/v]
        secret: ["id=x,src=a"]
        ssh: default
  b.c:
    build: .
`;
    expect((await print({ 'c.yml': text })).target['app']).toEqual({
      attest: [{ type: 'sbom' }, { mode: 'max', type: 'provenance' }],
      context: '.',
      contexts: { z: 'target:b_c' },
      dockerfile: 'Dockerfile',
      tags: ['t0', 't1', 't2'],
      'cache-from': [{ ref: 'u/v', type: 'registry' }],
      secret: [{ id: 'x', src: 'a' }],
      ssh: [{ id: 'default' }],
      platforms: ['linux/amd64', 'linux/arm64'],
      output: [{ dest: 'out', type: 'local' }],
      'no-cache': true,
      'no-cache-filter': ['s'],
    });
  });

  it('adds to earlier ones, and services extend services', async () => {
    const one =
      'services:\n  a:\n    build:\n      context: dir\n      args: {A: 1, B: 1}\n      tags: [x]\n  b:\n    extends: a\n    build: {args: [B=2]}\n';
    const two = 'services:\n  a:\n    build: {args: {C: 3}, tags: [x, y]}\n    image: unused\n';
    const { target } = await print({ 'one.yml': one, 'two.yml': two });
    expect(target['a']).toMatchObject({ context: 'dir', args: { A: '1', B: '1', C: '3' }, tags: ['x', 'y'] });
    expect(target['b']).toMatchObject({ context: 'dir', args: { A: '1', B: '2', C: '3' }, tags: ['x', 'y'] });
  });

  it('takes arguments without values from the service, its files, then the environment', async () => {
    const text =
      'services:\n  a:\n    build: {context: ., args: [E, F, G]}\n    environment: [E=own]\n    env_file: [vars.env]\n';
    const around = { files: { 'vars.env': 'E=file\nF=file\n' }, environment: { E: 'env', F: 'env', G: 'env' } };
    expect((await print({ 'a.yml': text }, around)).target['a']).toMatchObject({
      args: { E: 'own', F: 'file', G: 'env' },
    });
  });

  it('is added to by definitions in HCL', async () => {
    const compose = 'services:\n  a:\n    build: {context: dir, args: {A: 1}}\n';
    const { target } = await print({ 'compose.yml': compose, 'a.hcl': 'target "a" { args = { B = 2 } }' });
    expect(target['a']).toMatchObject({ context: 'dir', args: { A: '1', B: '2' } });
  });

  const refused: readonly (readonly [string, string])[] = [
    ['services:\n  a:\n    build:\n      foo: 1\n', 'c.yml:4:12: services.a.build.foo: there is no such property'],
    ['services:\n  a:\n    build:\n      args: 5\n', 'c.yml:4:13: services.a.build.args: must be a mapping'],
    ['services:\n  a:\n    build: {context: ., pull: maybe}\n', 'services.a.build.pull: must be true or false'],
    ['services:\n  a:\n    build: {context: "${X:?give X}"}\n', 'required variable X is missing a value: give X'],
    ['services:\n  a:\n    build: {context: "${X"}\n', 'invalid interpolation'],
    ['services:\n  a: {}\n', 'service "a" has neither an image nor a build context specified'],
    ['services:\n  a:\n    build: {context: ., secrets: [s]}\n', 'service a: refers to undefined build secret s'],
    [
      'services:\n  a:\n    build: {context: ., secrets: [s]}\nsecrets: {s: {external: true}}\n',
      'unsupported external secret s',
    ],
    ['services:\n  a:\n    extends: b\n    build: .\n', 'service a extends b, which is not there'],
    ['services:\n  a:\n    extends: {service: b, file: x.yml}\n', 'services of other files cannot be extended'],
    ['services:\n  a: {extends: b, build: .}\n  b: {extends: a, build: .}\n', 'services extend each other: a → b → a'],
    ['include: [x.yml]\nservices: {}\n', 'other files are not included'],
    ['services:\n  "a/b": {build: .}\n', 'invalid service name "a/b"'],
    ['services:\n  a:\n    build: {context: ., x-bake: {nope: 1}}\n', 'x-bake has no "nope"'],
    ['services:\n  a:\n    build: {context: !reset null}\n', 'tags are not supported'],
    ['services:\n  a: [\n', 'c.yml:3:1: '],
    ['a: 1\na: 2\n', 'c.yml:2:1: Map keys must be unique'],
    ['name: x\n', 'c.yml: empty compose file'],
    [
      `a: &a [x, x]\n${'b: &b [*a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]'}\nservices: {}\n`,
      'alias',
    ],
  ];
  it.each(refused)('%j is refused', async (text, why) => {
    const error = await print({ 'c.yml': text }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'BAKE_INVALID' });
    expect((error as Error).message).toContain(why);
  });
});

const variables = { A: 'a', EMPTY: '' };

describe('interpolation', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['$A-${A}-$$A', 'a-a-$A'],
    ['${B:-x}${EMPTY:-y}${EMPTY-z}', 'xy'],
    ['${B-x$A}${B-${C-$A}}', 'xaa'],
    ['${A:+set}${EMPTY:+set}${EMPTY+set}', 'setset'],
    ['${A:?why}$B', 'a'],
    ['no dollars', 'no dollars'],
  ];
  it.each(texts)('%s becomes %j', (text, expected) => {
    expect(interpolate(text, variables)).toBe(expected);
  });

  it.each(['$', '${', '${A', '${1}', '${A:}', '$ A', '${B?no}'])('%s is refused', (text) => {
    expect(() => interpolate(text, variables)).toThrow();
  });
});

describe('a file of variables', () => {
  const files: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['X=1\n# comment\n\nexport Y = two words # tail\n', { X: '1', Y: 'two words' }],
    ['X=\'$A "q"\'\nY="$A\\n\\$A"\nZ=$X', { X: '$A "q"', Y: 'a\n$A', Z: '$A "q"' }],
    ['X="one\ntwo"\nY=3', { X: 'one\ntwo', Y: '3' }],
    ['A\nNOPE\nE=', { A: 'a', E: '' }],
    ['X: 1\r\nY=a#b\r\n', { X: '1', Y: 'a#b' }],
  ];
  it.each(files)('%j', (text, expected) => {
    expect(parseDotenv(text, variables)).toEqual(expected);
  });

  it.each(['= 1', 'X="open', 'two words'])('%j is refused', (text) => {
    expect(() => parseDotenv(text, {})).toThrow('line 1');
  });
});
