import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registries } from '../../src/registry/index.ts';
import { pushIndex } from '../registry/made-images.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { describeWith, peerPrograms } from './peer-programs.ts';
import { run, runCli, slipway, testHome } from './run-cli.ts';

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'slipway');

// What only the command line shows: words, output, exit codes, files. What they do is tested in test/build/images.

let home: string;
let registry: OurRegistry;
let index: string;
const registries = new Registries();

const at = (name: string): string => `${registry.host}/${name}`;

describeWith(['skopeo'], 'commands for registries', () => {
  beforeAll(async () => {
    home = await testHome();
    registry = await ourRegistry(home);
    index = (await pushIndex(await registries.open(at('app'), 'push'), 'v1')).digest;
  });
  afterAll(async () => {
    await registries[Symbol.asyncDispose]();
    await registry.close();
  });

  it('ask without a store, and exit with 1 for what is not there, 2 where nobody answers', async () => {
    const store = join(home, 'no-store');
    const ask = (...args: string[]) => runCli(args, { env: { SLIPWAY_ROOT: store } });
    expect(await ask('digest', at('app:v1'))).toMatchObject({ code: 0, stdout: `${index}\n`, stderr: '' });
    expect((await ask('digest', '--platform', 'linux/arm64', at('app:v1'))).stdout).not.toContain(index);
    for (const args of [
      ['digest', at('app:none')],
      ['digest', '--platform', 'linux/mips', at('app:v1')],
      ['manifest', 'get', at('app:none')],
      ['tags', 'ls', at('none')],
    ])
      expect([args, (await ask(...args)).code]).toEqual([args, 1]);
    expect(await ask('digest', '--retry', '0', '127.0.0.1:1/a')).toMatchObject({ code: 2, stdout: '' });
    expect(await ask('digest', 'Not/A:name:')).toMatchObject({ code: 2 });
    expect(existsSync(store)).toBe(false);
  });

  it('inspect and history show images where they are, without a store', async () => {
    const store = join(home, 'no-store');
    const ask = (...args: string[]) => runCli(args, { env: { SLIPWAY_ROOT: store } });
    const inspected = async (...args: string[]): Promise<unknown> => JSON.parse((await ask('inspect', ...args)).stdout);
    const arm = (await ask('digest', '--platform', 'linux/arm64', at('app:v1'))).stdout.trim();
    expect(await inspected('--platform', 'linux/arm64', `docker://${at('app:v1')}`)).toEqual([
      expect.objectContaining({
        RepoTags: [at('app:v1')],
        RepoDigests: [`${at('app')}@${index}`],
        Architecture: 'arm64',
        Size: 'shared'.length + 'arm64'.length,
        Descriptor: expect.objectContaining({ digest: arm }),
        Layers: [expect.objectContaining({ size: 6 }), expect.objectContaining({ size: 5 })],
        Index: expect.objectContaining({ digest: index, platforms: ['linux/amd64', 'linux/arm64'] }),
      }),
    ]);
    const layout = `oci:${join(home, 'inspected')}:x`;
    await slipway(['copy', '-q', '--platform', 'linux/arm64', at('app:v1'), layout]);
    expect(await inspected(layout)).toEqual([
      expect.objectContaining({ RepoTags: [], RepoDigests: [], Descriptor: expect.objectContaining({ digest: arm }) }),
    ]);
    const [{ Id: id = '' } = {}] = (await inspected(layout)) as { Id?: string }[];
    expect((await ask('inspect', '-f', '{{.Id}}', `docker://${at('app')}@${arm}`)).stdout).toBe(`${id}\n`);
    expect((await ask('history', '-q', `docker://${at('app')}@${arm}`)).code).toBe(0);
    expect(await ask('inspect', `docker://${at('app:none')}`)).toMatchObject({ code: 1, stdout: '[]\n' });
    expect(existsSync(store)).toBe(false);
  });

  it('copy between registries, list, and write manifests byte for byte', async () => {
    expect(await slipway(['copy', '-q', at('app:v1'), at('copied:v2')])).toBe(`${index}\n`);
    expect(await slipway(['tags', 'ls', at('copied')])).toBe('v2\n');
    expect(JSON.parse(await slipway(['tags', 'ls', '--json', at('copied')]))).toMatchObject({ tags: ['v2'] });
    expect(await slipway(['catalog', registry.host])).toBe('app\ncopied\n');
    const file = join(home, 'manifest.json');
    await slipway(['manifest', 'get', at('copied:v2'), '-o', file]);
    const printed = await slipway(['manifest', 'get', at('copied:v2')]);
    expect(await readFile(file, 'utf8')).toBe(printed);
    const told = JSON.parse(await slipway(['manifest', 'get', '--json', at('copied:v2')])) as object;
    expect(told).toMatchObject({ digest: index, manifest: JSON.parse(printed) as object });
  });

  it('read and write single blobs and manifests', async () => {
    const digest = (await slipway(['blob', 'put', '-q', at('raw'), '-'], { input: 'twelve bytes' })).trim();
    const blob = `${at('raw')}@${digest}`;
    expect(await slipway(['blob', 'head', blob])).toBe('12\n');
    expect(await slipway(['blob', 'get', blob])).toBe('twelve bytes');
    expect(await slipway(['blob', 'get', '--range', '7-', blob])).toBe('bytes');
    const file = join(home, 'blob');
    expect(await runCli(['blob', 'get', '-o', file, blob])).toMatchObject({
      stderr: expect.stringMatching(/^[0-9a-f]{12}: Pulling/),
    });
    expect(await readFile(file, 'utf8')).toBe('twelve bytes');
    const onTerminal = await run('script', ['-qec', `${process.execPath} ${launcher} blob get ${blob}`, '/dev/null']);
    expect([onTerminal.code, onTerminal.stdout]).toEqual([2, expect.stringContaining('not written to a terminal')]);
    expect(await slipway(['blob', 'rm', blob])).toBe(`Deleted: ${digest}\n`);
    for (const command of ['head', 'get']) expect((await runCli(['blob', command, blob])).code).toBe(1);
    expect((await runCli(['blob', 'get', '--range', '9-3', blob])).code).toBe(125);

    const manifest = await slipway(['manifest', 'get', '--platform', 'linux/arm64', at('app:v1')]);
    expect(await slipway(['manifest', 'put', at('app:arm'), '-'], { input: manifest })).toMatch(/^sha256:/);
    expect(await slipway(['manifest', 'get', at('app:arm')])).toBe(manifest);
    expect(JSON.parse(await slipway(['config', at('app:arm')]))).toMatchObject({ architecture: 'arm64' });
    const platform = ['--platform', 'linux/arm64'];
    expect(await slipway(['manifest', 'diff', ...platform, at('app:v1'), at('app:arm')])).toBe('');
    const changed = await runCli(['manifest', 'diff', at('app:v1'), at('app:arm')]);
    expect(changed).toMatchObject({ code: 1, stdout: expect.stringContaining('\n-  "manifests": [') });
  });

  it('take away one tag, and a manifest only where no other tag stands for it', async () => {
    await slipway(['copy', '-q', at('app:v1'), at('tags:a')]);
    for (const tag of ['b', 'c']) await slipway(['copy', '-q', at('app:v1'), at(`tags:${tag}`)]);
    expect(await slipway(['tags', 'rm', at('tags:a')])).toBe(`Untagged: ${at('tags:a')}\n`);
    expect(await slipway(['tags', 'ls', at('tags')])).toBe('b\nc\n');
    const refused = await runCli(['manifest', 'rm', at('tags:b')]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('has other tags: c') });
    expect(await slipway(['manifest', 'rm', '-f', at('tags:b')])).toBe(`Deleted: ${index}\n`);
    const some = await runCli(['tags', 'rm', at('tags:b'), at('app:arm'), at('tags')]);
    expect(some).toMatchObject({ code: 1, stdout: `Untagged: ${at('app:arm')}\n` });
  });

  it('copy in another form, in a way that skopeo reads', async () => {
    const args = ['copy', '-q', '--format', 'docker', '--compression', 'gzip', '--additional-tag', 'b', '--json'];
    const file = join(home, 'digest');
    const told = JSON.parse(await slipway([...args, '--digest-file', file, at('app:v1'), at('docker:a')])) as {
      digest: string;
    };
    expect(told).toMatchObject({ names: ['a', 'b'], kept: [] });
    expect(await readFile(file, 'utf8')).toBe(`${told.digest}\n`);
    const peers = await peerPrograms(join(home, 'peers'));
    const image = `docker://${at('docker:b')}`;
    await peers.skopeo('copy', '-q', '--all', '--src-tls-verify=false', image, `dir:${join(home, 'docker')}`);
    const kept = await runCli(['copy', '-q', '-n', at('app:v1'), at('docker:a')]);
    expect(kept).toMatchObject({ code: 0, stderr: 'a is there already: left as it is\n' });
    expect(await slipway(['digest', at('docker:a')])).toBe(`${told.digest}\n`);
    for (const wrong of [['--force-compression'], ['-a', '--additional-tag', 'x'], ['--format', 'v1']])
      expect((await runCli(['copy', ...wrong, at('app:v1'), at('x')])).code).toBe(125);
  });

  it('push and pull several platforms, and all tags', async () => {
    const both = ['--platform', 'linux/amd64,linux/arm64'];
    const dockerfile = 'FROM scratch\nARG TARGETARCH\nCOPY <<EOF /arch\n$TARGETARCH\nEOF\n';
    await slipway(['build', '-q', ...both, '-t', at('multi:1'), '-'], { input: dockerfile });
    const file = join(home, 'digest');
    const pushed = JSON.parse(await slipway(['push', '-q', '--json', '--digest-file', file, at('multi:1')])) as {
      digest: string;
    };
    expect([`${pushed.digest}\n`, pushed]).toEqual([
      await readFile(file, 'utf8'),
      expect.objectContaining({ name: at('multi'), tag: '1', mediaType: expect.stringContaining('index') }),
    ]);
    await slipway(['tag', at('multi:1'), at('multi:arm')]);
    await slipway(['push', '-q', '--platform', 'linux/arm64', at('multi:arm')]);
    expect(JSON.parse(await slipway(['config', at('multi:arm')]))).toMatchObject({ architecture: 'arm64' });

    const store = { env: { SLIPWAY_ROOT: join(home, 'pulled') } };
    const pulled = JSON.parse(await slipway(['pull', '-q', '--json', ...both, at('multi:1')], store)) as object;
    expect(pulled).toMatchObject({ name: at('multi:1'), digest: pushed.digest, changed: true });
    const pinned = `${at('multi')}@${pushed.digest}`;
    for (const status of ['Downloaded newer image', 'Image is up to date'])
      expect(await slipway(['pull', pinned], { env: { SLIPWAY_ROOT: join(home, 'pinned') } })).toContain(
        `Status: ${status}`,
      );
    const again = await runCli(['pull', ...both, at('multi:1')], store);
    expect(again.stdout).toContain(`Digest: ${pushed.digest}\nStatus: Image is up to date for ${at('multi:1')}\n`);
    await slipway(['copy', '-q', ...both, at('multi:1'), `store:${at('multi:copied')}`], store);
    const tree = ['build', '-q', '--platform', 'linux/arm64', '-o', 'type=tar,dest=-', '-'];
    expect(await slipway(tree, { ...store, input: `FROM ${at('multi:copied')}\n` })).toContain('arm64\n');
    const all = await runCli(['pull', '-a', '--platform', 'linux/arm64', '--json', at('multi')], store);
    expect((JSON.parse(all.stdout) as { name: string }[]).map(({ name }) => name)).toEqual([
      at('multi:1'),
      at('multi:arm'),
    ]);
    expect(all.stderr).toContain('arm: Pulling from multi\n');
  });

  it('annotate and push a list of the store, and take its name away', async () => {
    const entry = async (architecture: string): Promise<string> =>
      `${at('app')}@${(await slipway(['digest', '--platform', `linux/${architecture}`, at('app:v1')])).trim()}`;
    const arm = await entry('arm64');
    await slipway(['manifest', 'create', 'list:1', await entry('amd64'), arm]);
    const changed = (await slipway(['manifest', 'annotate', 'list:1', arm, '--variant', 'v9'])).trim();
    expect(await slipway(['manifest', 'push', '-q', '--purge', 'list:1', at('list:1')])).toBe(`${changed}\n`);
    expect(await slipway(['manifest', 'get', at('list:1')])).toContain('"variant": "v9"');
    expect((await runCli(['digest', 'store:list:1'])).code).toBe(1);
    await slipway(['manifest', 'create', 'list:2', arm]);
    expect(await slipway(['manifest', 'rm', 'store:list:2'])).toMatch(/^Deleted: sha256:/);
    expect((await runCli(['manifest', 'annotate', 'list:2', arm])).code).toBe(125);
  });

  it('ask archives as they ask registries', async () => {
    const archive = `oci-archive:${join(home, 'asked.tar')}:v1`;
    await slipway(['copy', '-q', at('app:v1'), archive]);
    expect(await slipway(['digest', archive])).toBe(`${index}\n`);
    expect(await slipway(['tags', 'ls', archive])).toBe('v1\n');
    expect(await slipway(['config', '--platform', 'linux/arm64', archive])).toContain('arm64');
    expect(await slipway(['blob', 'head', `oci-archive:${join(home, 'asked.tar')}@${index}`])).toMatch(/^\d+\n$/);
  });

  it('say where an image is that only the store has', async () => {
    await slipway(['import', '-', at('here:1')], { input: Buffer.alloc(1024) });
    const { code, stderr } = await runCli(['copy', at('here:1'), at('there:1')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`write store:${at('here:1')}`)]);
    await slipway(['copy', '-q', `store:${at('here:1')}`, at('there:1')]);
    expect(await slipway(['tags', 'ls', at('there')])).toBe('1\n');
  });
});
