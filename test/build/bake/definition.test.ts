import { describe, expect, it } from '@jest/globals';
import { define, print } from './worth.ts';

describe('targets', () => {
  it('have a context and a Dockerfile, and what was named is the group default', async () => {
    expect(await print({ 'a.hcl': 'target "app" {}' }, { names: ['app'] })).toEqual({
      group: { default: { targets: ['app'] } },
      target: { app: { context: '.', dockerfile: 'Dockerfile' } },
    });
  });

  it('take every attribute, in all its forms', async () => {
    const { target } = await print({
      'a.hcl': `
        target "app" {
          description = "all of it"
          annotations = ["index:a=\${1 + 1}"]
          args        = { A = 1, B = true, C = null, D = "$\${x}" }
          attest      = ["type=provenance,mode=max", { type = "sbom", disabled = true }]
          cache-from  = ["user/app:cache", "type=gha", { type = "local", src = "cache" }, ""]
          cache-to    = [{ type = "registry", ref = "user/app", mode = "max" }]
          call        = "check"
          context     = "./src/../src/"
          contexts    = { one = "dir", two = "docker-image://alpine", none = "" }
          dockerfile  = "D"
          dockerfile-inline = "FROM scratch"
          entitlements = ["network.host", "network.host"]
          extra-hosts = { host = "1.2.3.4" }
          labels      = { l = "v" }
          network     = "none"
          no-cache    = true
          no-cache-filter = ["stage"]
          output      = ["out", "type=tar,dest=-", { type = "image", push = true }]
          platforms   = ["linux/amd64", "linux/arm64", "linux/amd64"]
          policy      = ["filename=p.rego"]
          pull        = false
          resources   = { memory = "2g", cpu-shares = 5 }
          secret      = ["id=a,src=b", "type=env,id=c,env=D", { id = "e" }]
          shm-size    = "1m"
          ssh         = ["default", { id = "k", paths = ["p", "q"] }, "other=r"]
          tags        = ["t", "", "u"]
          target      = "final"
          ulimits     = ["nofile=1:2"]
        }`,
    });
    expect(target['app']).toEqual({
      description: 'all of it',
      annotations: ['index:a=2'],
      attest: [
        { type: 'provenance', mode: 'max' },
        { type: 'sbom', disabled: true },
      ],
      context: 'src',
      contexts: { one: 'dir', two: 'docker-image://alpine' },
      dockerfile: 'D',
      'dockerfile-inline': 'FROM scratch',
      args: { A: '1', B: 'true', D: '$${x}' },
      labels: { l: 'v' },
      tags: ['t', 'u'],
      'cache-from': [{ ref: 'user/app:cache', type: 'registry' }, { type: 'gha' }, { src: 'cache', type: 'local' }],
      'cache-to': [{ mode: 'max', ref: 'user/app', type: 'registry' }],
      target: 'final',
      secret: [{ id: 'a', src: 'b' }, { id: 'c', env: 'D' }, { id: 'e' }],
      ssh: [{ id: 'default' }, { id: 'k', paths: ['p', 'q'] }, { id: 'other', paths: ['r'] }],
      platforms: ['linux/amd64', 'linux/arm64'],
      output: [
        { dest: 'out', type: 'local' },
        { dest: '-', type: 'tar' },
        { push: 'true', type: 'image' },
      ],
      pull: false,
      'no-cache': true,
      network: 'none',
      'no-cache-filter': ['stage'],
      'shm-size': '1m',
      ulimits: ['nofile=1:2'],
      resources: { 'cpu-shares': 5, memory: '2g' },
      call: 'check',
      entitlements: ['network.host'],
      'extra-hosts': { host: '1.2.3.4' },
      policy: [{ filename: 'p.rego' }],
    });
  });

  it('inherit: lists of caches grow, tags are replaced, keys are joined, the last parent wins', async () => {
    const { target } = await print(
      {
        'a.hcl': `
          target "one" {
            args = { A = "1", B = "1" }
            tags = ["one"]
            cache-from = ["a", "b"]
            secret = ["id=s,src=one"]
          }
          target "two" { args = { B = "2" } }
          target "app" {
            inherits = ["one", "two"]
            args = { C = "3", A = null }
            tags = []
            cache-from = ["b", "c"]
            secret = ["id=s,src=app", "id=t,src=t"]
          }`,
      },
      { names: ['app'] },
    );
    expect(target['app']).toEqual({
      context: '.',
      dockerfile: 'Dockerfile',
      args: { A: '1', B: '2', C: '3' },
      'cache-from': ['a', 'b', 'c'].map((ref) => ({ ref, type: 'registry' })),
      secret: [
        { id: 's', src: 'app' },
        { id: 't', src: 't' },
      ],
    });
  });

  it("of a network that is the machine's want to be allowed that", async () => {
    const { target } = await print({ 'a.hcl': 'target "a" { network = "host" }' });
    expect(target['a']).toMatchObject({ entitlements: ['network.host'] });
  });

  it('in later files add to those of earlier ones; groups and variables are replaced', async () => {
    const found = await print(
      {
        'docker-bake.hcl':
          'variable "V" { default = "1" }\ngroup "default" { targets = ["a"] }\ntarget "a" {\n  args = { v = V, k = "1" }\n  tags = ["x"]\n}',
        'docker-bake.override.json':
          '{"variable": {"V": {"default": "2"}}, "group": {"default": {"targets": ["a", "b"]}}, "target": {"a": {"args": {"k": "2"}}, "b": {}}}',
      },
      { names: [] },
    );
    expect(found.group).toEqual({ default: { targets: ['a', 'b'] } });
    expect(found.target['a']).toMatchObject({ args: { k: '2', v: '2' }, tags: ['x'] });
  });

  it('stand in for contexts of others and are then built too, with no output', async () => {
    const { target } = await print(
      { 'a.hcl': 'target "base" { tags = ["b"] }\ntarget "app" { contexts = { b = "target:base" } }' },
      { names: ['app'] },
    );
    expect(target['base']).toMatchObject({ tags: ['b'], output: [{ type: 'cacheonly' }] });
  });

  it('refer to each other in any order, and to their own name', async () => {
    const { target } = await print({
      'a.hcl': `
        target "b" {
          args = merge(target.a.args, { Y = join(",", target.a.tags), N = target.a.name })
          output = target.a.output
          dockerfile = target.a.dockerfile
        }
        target "a" {
          args = { X = "1" }
          tags = ["t", "u"]
          output = ["type=local,dest=o"]
        }`,
    });
    expect(target['b']).toMatchObject({
      args: { N: 'a', X: '1', Y: 't,u' },
      output: [{ dest: 'o', type: 'local' }],
      dockerfile: 'Dockerfile',
    });
  });
});

describe('a matrix', () => {
  it('makes a target of each combination, and a group of its label', async () => {
    const found = await print(
      {
        'a.hcl': `
        target "app" {
          matrix = { os = ["a", "b"], item = [{ v = "1.0" }, { v = "2.0" }] }
          name   = "app-\${os}-\${replace(item.v, ".", "-")}"
          args   = { V = item.v, OS = os }
        }`,
      },
      { names: ['app'] },
    );
    const names = ['app-a-1-0', 'app-a-2-0', 'app-b-1-0', 'app-b-2-0'];
    expect(Object.keys(found.target)).toEqual(names);
    expect(found.group?.['app']?.targets.toSorted()).toEqual(names);
    expect(found.target['app-b-1-0']).toMatchObject({ args: { OS: 'b', V: '1.0' } });
  });

  it('hides what has its name outside', async () => {
    const { target } = await print({
      'a.hcl':
        'x = "outside"\ntarget "a" {\n  matrix = { x = ["in"], target = ["t"] }\n  args = { X = x, T = target }\n}',
    });
    expect(target['a']).toMatchObject({ args: { X: 'in', T: 't' } });
  });
});

describe('groups', () => {
  const source = {
    'a.hcl': `
      group "all" { targets = ["inner", "a"] }
      group "inner" {
        targets = ["b", "a"]
        description = "two"
      }
      group "self" { targets = ["self"] }
      target "self" {}
      target "a" {}
      target "b" {}`,
  };
  const choices: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['stand for their targets', ['inner'], ['a', 'b']],
    ['may hold groups', ['all'], ['a', 'b']],
    ['may hold a target of their own name', ['self'], ['self']],
    ['are chosen by patterns, as targets are', ['[ai]*'], ['a', 'b']],
  ];
  it.each(choices)('%s', async (_, names, targets) => {
    expect(Object.keys((await print(source, { names })).target)).toEqual(targets);
  });

  it('are shown where they were chosen', async () => {
    expect((await print(source, { names: ['all', 'self'] })).group).toEqual({
      all: { targets: ['inner', 'a'] },
      default: { targets: ['all', 'self'] },
      inner: { description: 'two', targets: ['b', 'a'] },
      self: { targets: ['self'] },
    });
  });
});

describe('what is unknown', () => {
  it('is warned of, with its place', async () => {
    const { warnings } = await define({
      'a.hcl':
        'target "a" {\n  tag = ["x"]\n  args {\n    A = 1\n  }\n}\ngroup "g" {\n  targets = []\n  x = 1\n}\nother "b" {}\n',
    });
    expect(warnings).toEqual([
      'a.hcl:11:1: block other means nothing here',
      'a.hcl:2:3: target has no attribute "tag"',
      'a.hcl:3:3: target has no blocks, such as "args"; maps are written with "="',
      'a.hcl:9:3: group has no attribute "x"',
    ]);
  });
});
