import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BakeTarget } from '../../../src/build/index.ts';
import { checkAllowed, parseAllowed } from '../../../src/ui/bake/entitlements.ts';
import { type WorkOptions, worksOf } from '../../../src/ui/bake/jobs.ts';
import { overridesOf } from '../../../src/ui/bake/flags.ts';
import { writtenPaths } from '../../../src/ui/bake/selection.ts';

const before = process.cwd();
let folder: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-bake-')));
  mkdirSync(join(folder, 'work', 'in'), { recursive: true });
  mkdirSync(join(folder, 'other'));
  mkdirSync(join(folder, 'work', 'git:'));
  mkdirSync(join(folder, 'work', 'github.com'));
  mkdirSync(join(folder, 'work', 'in', 'in'));
  symlinkSync('../other', join(folder, 'work', 'link'));
  symlinkSync('../../../other', join(folder, 'work', 'in', 'in', 'link'));
  process.chdir(join(folder, 'work'));
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function check(
  target: Omit<BakeTarget, 'name'>,
  allow: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  const targets = new Map([['app', { name: 'app', ...target }]]);
  const { works } = await worksOf({ groups: new Map(), targets, linked: new Set() }, options);
  const jobs = works.map(({ job }) => job);
  checkAllowed(jobs, parseAllowed(allow, []), environment);
}

const options: WorkOptions = {
  call: undefined,
  isolation: 'auto',
  'max-parallelism': undefined,
  'context-modes': 'keep',
  reproducible: false,
  'verify-reproducible': false,
  locked: false,
  'source-policy-file': undefined,
  'lock-file': undefined,
};

describe('a target', () => {
  const refused: readonly (readonly [Omit<BakeTarget, 'name'>, string])[] = [
    [{ context: '../other' }, '--allow fs.read=../other'],
    [{ context: 'link' }, '--allow fs.read=../other'],
    [{ context: 'link/not/there' }, '--allow fs.read=../other/not/there'],
    [{ dockerfile: '../other/D' }, '--allow fs.read=../other/D'],
    [{ contexts: { a: '/' } }, '--allow fs.read=/'],
    [{ contexts: { a: 'oci-layout:///layout:tag' } }, '--allow fs.read=/layout'],
    [{ secret: [{ id: 's', src: '/secret' }] }, '--allow fs.read=/secret'],
    [{ ssh: [{ id: 's', paths: ['/key'] }] }, '--allow fs.read=/key'],
    [{ 'cache-from': [{ type: 'local', src: '/c' }] }, '--allow fs.read=/c'],
    [{ 'cache-to': [{ type: 'local', dest: '/c' }] }, '--allow fs.write=/c'],
    [{ output: [{ type: 'local', dest: '/out' }] }, '--allow fs.write=/out'],
    [{ output: [{ type: 'local', dest: 'o', mode: 'delete' }] }, '--allow buildx.local.delete'],
    [{ entitlements: ['security.insecure'] }, '--allow security.insecure'],
    [{ entitlements: ['network.host'] }, '--allow network.host'],
    [{ network: 'host' }, '--allow network.host'],
    [{ ssh: [{ id: 'default', paths: [] }] }, '--allow ssh'],
    // Ways around it: an id that is a file's name, keys in another spelling, an address that is also a folder.
    [{ secret: [{ id: '/secret' }] }, '--allow fs.read=/secret'],
    [{ output: [{ type: 'local', DEST: '/out' }] }, '--allow fs.write=/out'],
    [{ output: [{ type: 'local', ' dest': ' /out' }] }, '--allow fs.write=/out'],
    [{ output: [{ type: 'local', dest: 'o', Mode: 'delete' }] }, '--allow buildx.local.delete'],
    [{ 'cache-from': [{ type: ' local', src: '/c' }] }, '--allow fs.read=/c'],
    [{ 'cache-to': [{ type: 'local', Dest: '/c' }] }, '--allow fs.write=/c'],
    [{ context: 'git://../../other' }, '--allow fs.read=../other'],
    [{ context: 'github.com/../../other' }, '--allow fs.read=../other'],
    [{ context: 'in', dockerfile: 'link/D' }, '--allow fs.read=../other/D'],
  ];
  it.each(refused)('%j needs a right', async (target, flag) => {
    await expect(check(target)).rejects.toThrow(expect.objectContaining({ hint: expect.stringContaining(flag) }));
    await check(target, flag.split('--allow ').slice(1));
  });

  it.each<[Omit<BakeTarget, 'name'>]>([
    [{}],
    [{ context: 'in', dockerfile: 'D', output: [{ type: 'local', dest: 'out/new' }] }],
    [{ context: 'https://x.org/a.git', contexts: { a: 'docker-image://x', b: 'target:y' } }],
    [{ output: [{ type: 'tar', dest: '-' }], secret: [{ id: 'a', env: 'E' }] }],
    [{ dockerfile: '../other/D', 'dockerfile-inline': 'FROM x' }],
  ])('%j needs none', async (target) => {
    await check(target);
  });

  it('may read anywhere where that is allowed', async () => {
    const target = { context: '../other', output: [{ type: 'local', dest: '../other/o' }] };
    for (const allow of [['fs=*'], ['fs=../other'], ['fs.read=../other', 'fs.write=..']]) await check(target, allow);
    await check(target, [], { BUILDX_BAKE_ENTITLEMENTS_FS: '0' });
    await expect(check(target, ['fs.read=../other'])).rejects.toThrow('writing to ../other/o');
    expect(() => parseAllowed(['nope'], [])).toThrow('unknown entitlement key "nope"');
  });
});

describe('overrides', () => {
  it('are made of flags for all targets', () => {
    const none = { push: false, load: false, check: false };
    expect(overridesOf(none)).toEqual([]);
    expect(
      overridesOf({ ...none, set: ['a.b=c'], push: true, load: true, 'no-cache': true, pull: false, check: true }),
    ).toEqual(['a.b=c', '*.push=true', '*.load=true', '*.call=check', '*.no-cache=true', '*.pull=false']);
    expect(overridesOf({ ...none, sbom: 'true', provenance: 'mode=max', call: 'outline,format=json' })).toEqual([
      '*.call=outline',
      '*.attest=type=sbom,disabled=false',
      '*.attest=type=provenance,mode=max',
    ]);
    expect(() => overridesOf({ ...none, check: true, call: 'check' })).toThrow('cannot be used together');
  });

  it.each([
    ['app.context=../x', ['../x']],
    ['app.contexts.a=/x', ['/x']],
    ['app.output=type=local,dest=/o', ['/o']],
    ['app.output+=/o', ['/o']],
    ['*.cache-from=type=local,src=/c', ['/c']],
    ['app.secrets=id=a,src=/s', ['/s']],
    ['app.ssh=default=/k,/l', ['/k', '/l']],
    ['app.tags=/x', []],
    ['app.args.P=/x', []],
  ])('%s allows %j', (text, paths) => {
    expect(writtenPaths([text])).toEqual(paths);
  });
});
