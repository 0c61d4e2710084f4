import { describe, expect, it } from '@jest/globals';
import { print } from './worth.ts';

const source = {
  'a.hcl': `
    target "app" {
      tags = ["a"]
      platforms = ["linux/amd64"]
      output = ["type=registry"]
      secret = ["id=s,src=x"]
      args = { OLD = "1" }
    }
    target "api" {}
    target "tool" { output = ["type=local,dest=out"] }
    target "docker" { output = ["type=docker"] }`,
};

/** Overrides of the target app, and what changes. */
const changes: readonly (readonly [readonly string[], Readonly<Record<string, unknown>>])[] = [
  [['app.tags=x', 'app.tags=y'], { tags: ['x', 'y'] }],
  [['app.tags+=b'], { tags: ['a', 'b'] }],
  [['app.platform=linux/arm64'], { platforms: ['linux/arm64'] }],
  [['app.platform+=linux/arm64'], { platforms: ['linux/amd64', 'linux/arm64'] }],
  [['app.args.NEW=2', 'app.args.OLD=a=b'], { args: { NEW: '2', OLD: 'a=b' } }],
  [['app.args.FROM_ENV'], { args: { FROM_ENV: 'env', OLD: '1' } }],
  [['app.args.NOT_THERE'], { args: { OLD: '1' } }],
  [['app.args.a.b=1'], { args: { 'a.b': '1', OLD: '1' } }],
  [['app.labels.l=v'], { labels: { l: 'v' } }],
  [['app.contexts.c=dir'], { contexts: { c: 'dir' } }],
  [['app.context=./x/../y'], { context: 'y' }],
  [['app.dockerfile=D'], { dockerfile: 'D' }],
  [['app.target=t'], { target: 't' }],
  [['app.call=check'], { call: 'check' }],
  [['app.no-cache=true', 'app.pull=1'], { 'no-cache': true, pull: true }],
  [['app.no-cache-filter=a', 'app.no-cache-filter=b'], { 'no-cache-filter': ['a', 'b'] }],
  [['app.network=host'], { network: 'host', entitlements: ['network.host'] }],
  [['app.shm-size=1m', 'app.ulimits=nofile=1'], { 'shm-size': '1m', ulimits: ['nofile=1'] }],
  [['app.extra-hosts.h=1.2.3.4'], { 'extra-hosts': { h: '1.2.3.4' } }],
  [['app.resources.memory=1g'], { resources: { memory: '1g' } }],
  [['app.entitlements=security.insecure'], { entitlements: ['security.insecure'] }],
  [['app.annotations=a=b'], { annotations: ['a=b'] }],
  [['app.attest=type=sbom'], { attest: [{ type: 'sbom' }] }],
  [['app.cache-from=a,b'], { 'cache-from': ['a', 'b'].map((ref) => ({ ref, type: 'registry' })) }],
  [['app.cache-to=type=inline'], { 'cache-to': [{ type: 'inline' }] }],
  [['app.ssh=default=k,l'], { ssh: [{ id: 'default', paths: ['k', 'l'] }] }],
  [['app.secret.s=env=Y'], { secret: [{ id: 's', env: 'Y' }] }],
  [
    ['app.secrets+=id=t,src=z'],
    {
      secret: [
        { id: 's', src: 'x' },
        { id: 't', src: 'z' },
      ],
    },
  ],
  [['app.output=type=oci,dest=o.tar'], { output: [{ dest: 'o.tar', type: 'oci' }] }],
  [['app.output+=type=docker'], { output: [{ type: 'registry' }, { type: 'docker' }] }],
  [['app.push=false'], { output: undefined }],
  [['*.push=true'], { output: [{ type: 'registry' }] }],
  [['*.load=true'], { output: [{ type: 'registry' }, { type: 'docker' }] }],
  [['a*.tags=p'], { tags: ['p'] }],
  [['ap[a-p].tags=p'], { tags: ['p'] }],
  [['ap?.tags=p'], { tags: ['p'] }],
];

describe('--set', () => {
  it.each(changes)('%j', async (set, expected) => {
    const environment = { FROM_ENV: 'env' };
    const before = (await print(source, { names: ['app'], environment })).target['app'];
    const { target } = await print(source, { names: ['app'], set, environment });
    const wanted = Object.entries({ ...before, ...expected }).filter(([, value]) => value !== undefined);
    expect(target['app']).toEqual(Object.fromEntries(wanted));
  });

  const outputs: readonly (readonly [string, string, unknown])[] = [
    ['*.push=true', 'api', [{ push: 'true', type: 'image' }]],
    ['*.push=true', 'tool', [{ dest: 'out', type: 'local' }]],
    ['*.push=true', 'docker', [{ type: 'docker' }, { push: 'true', type: 'image' }]],
    ['*.load=true', 'api', [{ type: 'docker' }]],
    ['*.load=true', 'tool', [{ dest: 'out', type: 'local' }]],
    ['*.load=true', 'docker', [{ type: 'docker' }]],
  ];
  it.each(outputs)('%s gives %s the right outputs', async (set, name, expected) => {
    expect((await print(source, { set: [set] })).target[name]?.['output']).toEqual(expected);
  });

  it('changes what others inherit', async () => {
    const text = 'target "base" {}\ntarget "app" { inherits = ["base"] }';
    const { target } = await print({ 'a.hcl': text }, { set: ['base.tags=x'] });
    expect(target['app']).toMatchObject({ tags: ['x'] });
  });

  const refused: readonly (readonly [string, string])[] = [
    ['app=x', 'expected target.name=value'],
    ['app.tags', 'expected target.name=value'],
    ['nope.tags=x', "could not find any target matching 'nope'"],
    ['app.platforms=x', 'unknown key "platforms"'],
    ['app.inherits=x', 'unknown key "inherits"'],
    ['app.args=x', 'args requires name'],
    ['app.args.x+=y', 'args does not support append'],
    ['app.pull=maybe', 'neither true nor false'],
    ['app.secret.z=src=x', 'secret "z" must be declared before it can be overridden'],
    ['app.secret.s=id=t', 'the id of the secret is "s"'],
    ['app.output=type=', 'type is required for output'],
    ['app.cache-to=ref=x', 'type required'],
  ];
  it.each(refused)('%s is refused', async (set, why) => {
    const error = await print(source, { set: [set] }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'BAKE_INVALID' });
    expect((error as Error).message).toContain(why);
  });
});

describe('names', () => {
  const refused: readonly (readonly [readonly string[], string, string])[] = [
    [['nope'], 'BAKE_NOT_FOUND', 'failed to find target nope'],
    [['x*'], 'BAKE_NOT_FOUND', 'could not find any target matching "x*"'],
    [['self'], 'BAKE_INVALID', 'target self cannot link to itself'],
    [['one'], 'BAKE_INVALID', 'infinite loop from two to one'],
    [['gone'], 'BAKE_NOT_FOUND', 'failed to find target missing'],
    [['many'], 'BAKE_INVALID', 'target amd cannot be used by many'],
  ];
  it.each(refused)('%j are refused', async (names, code, why) => {
    const text = `
      target "self" { contexts = { x = "target:self" } }
      target "one" { contexts = { x = "target:two" } }
      target "two" { contexts = { x = "target:one" } }
      target "gone" { inherits = ["missing"] }
      target "many" {
        platforms = ["linux/amd64", "linux/arm64"]
        contexts = { x = "target:amd" }
      }
      target "amd" { platforms = ["linux/amd64", "linux/s390x"] }`;
    const error = await print({ 'a.hcl': text }, { names }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(why);
  });

  it('of services with dots are written with underscores, and may be given either way', async () => {
    const text = 'services:\n  a.b:\n    build: .\n';
    expect(Object.keys((await print({ 'c.yaml': text }, { names: ['a.b'] })).target)).toEqual(['a_b']);
  });
});
