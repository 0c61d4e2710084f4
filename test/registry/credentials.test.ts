import { chmod, lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { credentialProgram } from '../../src/registry/credentials/credential-program.ts';
import { bestKey } from '../../src/registry/credentials/host-match.ts';
import { type Credential, eraseCredential, findCredential, saveCredential } from '../../src/registry/index.ts';

let home: string;
let variables: Record<string, string>;
const path = process.env.PATH;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-credentials-'));
  variables = {};
});

afterEach(async () => {
  process.env.PATH = path;
  await rm(home, { recursive: true, force: true });
});

const basic = (username: string): Credential => ({ kind: 'basic', username, password: 'pw' });
const auth = (username: string) => ({ auth: Buffer.from(`${username}:pw`).toString('base64') });

async function write(file: string, document: unknown): Promise<void> {
  await mkdir(join(home, file, '..'), { recursive: true });
  await writeFile(join(home, file), JSON.stringify(document));
}

function find(host: string, repository = 'a/b', purpose: 'pull' | 'push' = 'pull', warn?: (message: string) => void) {
  return findCredential({ host, repository, purpose }, { environment: { variables, home }, warn }).then(
    (found) => found?.credential,
  );
}

describe('a key of a credential file', () => {
  const cases: readonly (readonly [string, readonly string[], string, string | undefined])[] = [
    ['fits its host', ['r.io'], 'r.io', 'r.io'],
    ['fits not a longer host', ['r.io'], 'my.r.io', undefined],
    ['fits not a shorter host', ['my.r.io'], 'r.io', undefined],
    ['fits not another port', ['r.io:5000'], 'r.io', undefined],
    ['fits with scheme and path', ['https://r.io/v1/'], 'r.io', 'https://r.io/v1/'],
    ['fits the Hub under its old name', ['https://index.docker.io/v1/'], 'docker.io', 'https://index.docker.io/v1/'],
    ['fits the Hub by its API host', ['registry-1.docker.io'], 'docker.io', 'registry-1.docker.io'],
    ['fits a namespace', ['r.io/a'], 'r.io', 'r.io/a'],
    ['fits better the longer it is', ['r.io', 'r.io/a/b', 'r.io/a'], 'r.io', 'r.io/a/b'],
    ['fits not another namespace', ['r.io/c'], 'r.io', undefined],
    ['fits not half a component', ['r.io/a/bb', 'r.io/aa'], 'r.io', undefined],
  ];
  it.each(cases)('%s', (_, keys, host, expected) => {
    expect(bestKey(keys, host, 'a/b')).toBe(expected);
  });
});

describe('findCredential', () => {
  it('goes through the sources in order', async () => {
    variables = { XDG_RUNTIME_DIR: join(home, 'run'), REGISTRY_AUTH_FILE: join(home, 'authfile') };
    variables.DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { 'r.io': auth('environment') } });
    await write('authfile', { auths: { 'r.io': auth('authfile') } });
    await write('run/containers/auth.json', { auths: { 'r.io': auth('runtime') } });
    await write('.config/containers/auth.json', { auths: { 'r.io': auth('containers') } });
    await write('.docker/config.json', { auths: { 'r.io': auth('docker') } });
    await write('.dockercfg', { 'r.io': auth('old') });
    const found: unknown[] = [];
    const next = async (gone: () => Promise<unknown>): Promise<void> => {
      found.push(await find('r.io'));
      await gone();
    };
    const remove = (file: string) => () => rm(join(home, file));
    await next(remove('authfile'));
    await next(async () => delete variables.DOCKER_AUTH_CONFIG);
    await next(remove('run/containers/auth.json'));
    await next(remove('.config/containers/auth.json'));
    await next(remove('.docker/config.json'));
    await next(remove('.dockercfg'));
    expect(found).toEqual(['authfile', 'environment', 'runtime', 'containers', 'docker', 'old'].map(basic));
    expect(await find('r.io')).toBeUndefined();
  });

  const entries: readonly (readonly [string, unknown, Credential | undefined])[] = [
    ['auth', { auth: Buffer.from('u:p:w').toString('base64') }, { kind: 'basic', username: 'u', password: 'p:w' }],
    ['username and password', { username: 'u', password: 'pw' }, basic('u')],
    [
      'an identity token',
      { ...auth('u'), identitytoken: 'it' },
      { kind: 'identity-token', token: 'it', username: 'u' },
    ],
    ['a registry token', { registrytoken: 'rt' }, { kind: 'registry-token', token: 'rt' }],
    ['nothing', {}, undefined],
  ];
  it.each(entries)('reads %s', async (_, entry, expected) => {
    await write('.docker/config.json', { auths: { 'r.io': entry } });
    expect(await find('r.io')).toEqual(expected);
  });

  it('looks into one file only where that is named, and says where it found what', async () => {
    await write('.docker/config.json', { auths: { 'r.io': auth('docker'), 'q.io': auth('docker') } });
    await write('mine', { auths: { 'r.io': auth('mine') } });
    variables = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { 'q.io': auth('environment') } }) };
    const options = { environment: { variables, home, authFile: join(home, 'mine') } };
    const query = { repository: 'x', purpose: 'pull' } as const;
    expect(await findCredential({ host: 'r.io', ...query }, options)).toEqual({
      credential: basic('mine'),
      place: join(home, 'mine'),
    });
    expect(await findCredential({ host: 'q.io', ...query }, options)).toBeUndefined();
  });

  it('asks programs that are named elsewhere, and then services that make credentials', async () => {
    const program = (suffix: string) => ({
      get: async (host: string) => (host === 'a.io' ? basic(suffix) : undefined),
      store: async () => {},
      erase: async () => {},
    });
    const find = async ({ host }: { readonly host: string }) => (host.endsWith('.io') ? basic('made') : undefined);
    const options = {
      environment: { variables, home },
      helpers: ['elsewhere', 'containers-auth.json'],
      providers: [{ name: 'a service', find }],
      program,
    };
    await write('.docker/config.json', { auths: { 'file.io': auth('file') } });
    const place = join(home, '.docker/config.json');
    const places: (string | undefined)[] = [];
    for (const host of ['a.io', 'file.io', 'b.io', 'c.com']) {
      places.push((await findCredential({ host, repository: 'x', purpose: 'pull' }, options))?.place);
    }
    expect(places).toEqual(['docker-credential-elsewhere', place, 'a service', undefined]);
  });

  it('does not quote a broken file', async () => {
    await mkdir(join(home, '.docker'));
    await writeFile(join(home, '.docker/config.json'), '{"auths": c4n4ry');
    await expect(find('r.io')).rejects.toMatchObject({ code: 'CREDENTIALS' });
    await expect(find('r.io')).rejects.not.toThrow('c4n4ry');
  });

  it('asks credHelpers before credsStore before auths', async () => {
    const asked: string[] = [];
    const answers = new Map([['store', basic('store')]]);
    const program = (suffix: string) => ({
      get: (host: string) => {
        asked.push(`${suffix} ${host}`);
        return Promise.resolve(answers.get(suffix));
      },
      store: () => Promise.resolve(),
      erase: () => Promise.resolve(),
    });
    await write('.docker/config.json', {
      auths: { 'a.io': auth('file'), 'b.io': auth('file') },
      credHelpers: { 'a.io': 'own' },
      credsStore: 'store',
    });
    const options = { environment: { variables, home }, program };
    const found = async (host: string) => findCredential({ host, repository: 'x', purpose: 'pull' }, options);
    expect((await found('a.io'))?.credential).toEqual(basic('file'));
    expect((await found('b.io'))?.credential).toEqual(basic('store'));
    expect(asked).toEqual(['own a.io', 'store b.io']);
  });

  it('goes on without a missing program for a pull, with a word, and fails for a push', async () => {
    await write('.docker/config.json', { auths: {}, credsStore: 'no-such-program' });
    const warnings: string[] = [];
    expect(await find('r.io', 'x', 'pull', (message) => warnings.push(message))).toBeUndefined();
    expect(warnings.join()).toContain('docker-credential-no-such-program is not installed');
    await expect(find('r.io', 'x', 'push')).rejects.toMatchObject({ code: 'CREDENTIALS' });
  });
});

describe('a credential program', () => {
  async function install(script: string): Promise<void> {
    await writeFile(join(home, 'docker-credential-test'), `#!/bin/sh\n${script}\n`);
    await chmod(join(home, 'docker-credential-test'), 0o755);
    process.env.PATH = `${home}:${path}`;
  }

  const answers: readonly (readonly [string, string, Credential | undefined])[] = [
    ['a password', `echo '{"Username":"u","Secret":"pw"}'`, basic('u')],
    ['an identity token', `echo '{"Username":"<token>","Secret":"it"}'`, { kind: 'identity-token', token: 'it' }],
    ['nothing', `echo 'credentials not found in native keychain'; exit 1`, undefined],
  ];
  it.each(answers)('gives %s', async (_, script, expected) => {
    await install(script);
    expect(await credentialProgram('test').get('r.io')).toEqual(expected);
  });

  const failures: readonly (readonly [string, string, string])[] = [
    ['fails', 'echo c4n4ry; exit 2', 'status 2'],
    ['answers no JSON', 'echo c4n4ry', 'not JSON'],
    ['answers too much', 'yes c4n4ry', 'more than 1048576 bytes'],
    ['answers half', `echo '{"Username":"c4n4ry"}'`, 'without Username and Secret'],
  ];
  it.each(failures)('that %s is an error that does not quote it', async (_, script, message) => {
    await install(script);
    const failure = credentialProgram('test').get('r.io');
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.not.toThrow('c4n4ry');
  });

  it('gets the server name on stdin, nothing but the verb as argument', async () => {
    await install(`printf '%s|' "$@" > ${home}/arguments; cat > ${home}/input; echo '{"Username":"u","Secret":"pw"}'`);
    await credentialProgram('test').get('docker.io');
    expect(await readFile(join(home, 'arguments'), 'utf8')).toBe('get|');
    expect(await readFile(join(home, 'input'), 'utf8')).toBe('https://index.docker.io/v1/');
  });

  it.each(['../x', 'a/b', '', '-x', 'a b'])('is not looked for by the name %j', (suffix) => {
    expect(() => credentialProgram(suffix)).toThrow(expect.objectContaining({ code: 'CREDENTIALS' }));
  });
});

describe('saveCredential and eraseCredential', () => {
  const environment = () => ({ variables, home });
  const config = async () => JSON.parse(await readFile(join(home, '.docker/config.json'), 'utf8')) as unknown;

  it('write a file that only the owner reads, and forget', async () => {
    const saved = await saveCredential('r.io', basic('u'), { environment: environment() });
    expect(saved).toEqual({ place: join(home, '.docker/config.json'), protected: false });
    expect((await stat(join(home, '.docker/config.json'))).mode & 0o777).toBe(0o600);
    expect(await find('r.io')).toEqual(basic('u'));
    expect(await eraseCredential('r.io', { environment: environment() })).toBe(true);
    expect(await find('r.io')).toBeUndefined();
    expect(await eraseCredential('r.io', { environment: environment() })).toBe(false);
  });

  it('keep what they do not know, and other logins', async () => {
    await write('.docker/config.json', {
      auths: { 'q.io': auth('q'), 'https://r.io/v2/': auth('old') },
      psFormat: 'x',
    });
    await saveCredential('r.io', basic('u'), { environment: environment() });
    expect(await config()).toEqual({ auths: { 'q.io': auth('q'), 'r.io': auth('u') }, psFormat: 'x' });
  });

  it("use docker's key for the Hub", async () => {
    await saveCredential('docker.io', basic('u'), { environment: environment() });
    expect(await config()).toEqual({ auths: { 'https://index.docker.io/v1/': auth('u') } });
    expect(await find('docker.io')).toEqual(basic('u'));
  });

  it('write through a symbolic link', async () => {
    await write('real.json', {});
    await mkdir(join(home, '.docker'));
    await symlink(join(home, 'real.json'), join(home, '.docker/config.json'));
    await saveCredential('r.io', basic('u'), { environment: environment() });
    expect((await lstat(join(home, '.docker/config.json'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(home, 'real.json'), 'utf8')).toContain('r.io');
  });

  it('leave the secret to a credential program', async () => {
    const kept = new Map<string, Credential>();
    const program = () => ({
      get: (host: string) => Promise.resolve(kept.get(host)),
      store: async (host: string, credential: Credential) => void kept.set(host, credential),
      erase: async (host: string) => void kept.delete(host),
    });
    await write('.docker/config.json', { credsStore: 'vault' });
    const saved = await saveCredential('r.io', basic('u'), { environment: environment(), program });
    expect(saved).toEqual({ place: 'docker-credential-vault', protected: true });
    expect(await config()).toEqual({ auths: { 'r.io': {} }, credsStore: 'vault' });
    expect(await eraseCredential('r.io', { environment: environment(), program })).toBe(true);
    expect(kept.size).toBe(0);
  });
});
