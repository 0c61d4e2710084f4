import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSecret, type SecretSource } from '../../../src/build/mounts/secret-request.ts';
import { largestSecret, SecretSources } from '../../../src/build/mounts/secrets.ts';

const environment = { HERE: 'value', PATH: process.env['PATH'] };

describe('--secret', () => {
  const cases: readonly (readonly [string, SecretSource])[] = [
    ['id=a,src=/f', { kind: 'file', path: '/f' }],
    ['id=a,source=/f,type=file', { kind: 'file', path: '/f' }],
    ['ID=a,SRC=/f', { kind: 'file', path: '/f' }],
    ['id=a,env=B', { kind: 'env', name: 'B' }],
    ['type=env,id=a', { kind: 'env', name: 'a' }],
    ['type=env,id=a,src=B', { kind: 'env', name: 'B' }],
    ['id=HERE', { kind: 'env', name: 'HERE' }],
    ['id=HERE,type=file', { kind: 'file', path: 'HERE' }],
    ['id=elsewhere', { kind: 'file', path: 'elsewhere' }],
    ['id=a,command=pass show a', { kind: 'command', command: 'pass show a' }],
    ['id=a,type=command,"command=printf a,b"', { kind: 'command', command: 'printf a,b' }],
    ['id=a,type=command,src=pass show a', { kind: 'command', command: 'pass show a' }],
  ];
  it.each(cases)('%s', (text, source) => {
    expect(parseSecret(text, environment).source).toEqual(source);
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /--secret/],
    ['src=/f', /id= is missing/],
    ['a', /"a" is not key=value/],
    ['id=a,mode=1', /unexpected key "mode"/],
    ['id=a,type=vault', /unsupported secret type "vault"/],
    ['id=a,type=command', /type=command needs command=/],
    ['id=a,type=env,command=x', /type=command needs command=/],
    ['id=a,src=/f,env=B', /only one of/],
    ['id=a,"src=/f', /quote/],
  ];
  it.each(refused)('refuses %s', (text, message) => {
    expect(() => parseSecret(text, environment)).toThrow(message);
  });
});

describe('secrets', () => {
  const sources = (source: SecretSource) => new SecretSources([{ id: 's', source }], { environment });

  it('come from files, variables and commands, byte for byte', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-secret-'));
    try {
      const path = join(folder, 'file');
      await writeFile(path, Buffer.from([0xff, 0, 10]));
      expect(await sources({ kind: 'file', path }).get('s')).toEqual(Buffer.from([0xff, 0, 10]));
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(await sources({ kind: 'env', name: 'HERE' }).get('s')).toEqual(Buffer.from('value'));
    const command = 'printf "%s\\n" "$HERE"';
    expect(await sources({ kind: 'command', command }).get('s')).toEqual(Buffer.from('value\n'));
  });

  it('that were not given, or whose variable is not set, are undefined', async () => {
    expect(await sources({ kind: 'env', name: 'HERE' }).get('other')).toBeUndefined();
    expect(await sources({ kind: 'env', name: 'NOT_SET' }).get('s')).toBeUndefined();
  });

  it('are read once', async () => {
    const secrets = sources({ kind: 'command', command: 'date +%N' });
    const [first, second] = await Promise.all([secrets.get('s'), secrets.get('s')]);
    expect(second).toBe(first);
  });

  const failures: readonly (readonly [string, SecretSource, RegExp])[] = [
    ['a missing file', { kind: 'file', path: '/nowhere/x' }, /secret s: \/nowhere\/x: ENOENT/],
    ['a folder', { kind: 'file', path: '/' }, /secret s: \/: EISDIR/],
    ['an endless file', { kind: 'file', path: '/dev/zero' }, /more than 512000 bytes/],
    ['an endless command', { kind: 'command', command: 'cat /dev/zero' }, /wrote more than 512000 bytes/],
    ['a command that fails', { kind: 'command', command: 'exit 3' }, /its command ended with 3/],
  ];
  it.each(failures)('%s is an error', async (_, source, message) => {
    await expect(sources(source).get('s')).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      message: expect.stringMatching(message),
    });
  });

  it('may be as large as the bound', async () => {
    const command = `head -c ${largestSecret} /dev/zero`;
    expect((await sources({ kind: 'command', command }).get('s'))?.length).toBe(largestSecret);
  });

  it('are not told by a command that fails after it wrote one', async () => {
    const command = 'echo hunter2; echo "got hunter2, but no" >&2; exit 1';
    await expect(sources({ kind: 'command', command }).get('s')).rejects.toMatchObject({
      details: ['got ***, but no'],
    });
  });
});
