import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CredentialBook, type CredentialProvider, serveProgram } from '../../src/registry/index.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-program-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const environment = () => ({ variables: {}, home });
const serve = (verb: string, input = '', providers: readonly CredentialProvider[] = []) =>
  serveProgram(verb, input, {
    book: new CredentialBook({ environment: environment(), providers }),
    environment: environment(),
  });
const stored = (server: string, user: string, secret: string) =>
  JSON.stringify({ ServerURL: server, Username: user, Secret: secret });
const nothing = { text: 'credentials not found in native keychain', exitCode: 1 };

describe('as a credential program of docker', () => {
  it('gives what it was given, lists and forgets it', async () => {
    await serve('store', stored('https://index.docker.io/v1/', 'me', 'pw'));
    await serve('store', stored('r.io:5000', '<token>', 'it'));
    expect(JSON.parse((await serve('get', 'https://index.docker.io/v1/\n')).text)).toEqual({
      ServerURL: 'https://index.docker.io/v1/',
      Username: 'me',
      Secret: 'pw',
    });
    expect(JSON.parse((await serve('get', 'r.io:5000')).text)).toMatchObject({ Username: '<token>', Secret: 'it' });
    expect(JSON.parse((await serve('list')).text)).toEqual({
      'https://index.docker.io/v1/': 'me',
      'r.io:5000': '<token>',
    });
    await serve('erase', 'r.io:5000');
    expect(await serve('get', 'r.io:5000')).toEqual(nothing);
    const file = join(home, '.config/containers/auth.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain('r.io:5000');
  });

  it('does not ask itself where docker names it as its store', async () => {
    await mkdir(join(home, '.docker'));
    await writeFile(join(home, '.docker/config.json'), JSON.stringify({ credsStore: 'slipway' }));
    expect(await serve('get', 'r.io')).toEqual(nothing);
    await serve('store', stored('r.io', 'me', 'pw'));
    expect(JSON.parse((await serve('get', 'r.io')).text)).toMatchObject({ Username: 'me', Secret: 'pw' });
  });

  it('gives what a service makes', async () => {
    const provider: CredentialProvider = {
      name: 'a service',
      find: async ({ host }) => (host === 'made.io' ? { kind: 'basic', username: 'AWS', password: 'made' } : undefined),
    };
    expect(JSON.parse((await serve('get', 'made.io', [provider])).text)).toMatchObject({ Username: 'AWS' });
    expect(await serve('get', 'other.io', [provider])).toEqual(nothing);
  });

  it.each([
    ['no JSON', '{"ServerURL": c4n4ry'],
    ['a member missing', '{"ServerURL":"r.io","Username":"c4n4ry"}'],
    ['no server', stored('', 'me', 'c4n4ry')],
  ])('refuses %s without quoting it', async (_, input) => {
    const refused = serve('store', input);
    await expect(refused).rejects.toMatchObject({ code: 'CREDENTIALS' });
    await expect(refused).rejects.not.toThrow('c4n4ry');
  });

  it('refuses other verbs', async () => {
    await expect(serve('steal')).rejects.toMatchObject({ code: 'CREDENTIALS' });
  });
});
