import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readDockerDaemon } from '../../../src/registry/config/docker-daemon.ts';
import type { ConfigEnvironment } from '../../../src/registry/config/environment.ts';
import { readRegistriesConf } from '../../../src/registry/config/registries-conf-files.ts';
import { certificateFolder, hostCertificates } from '../../../src/registry/config/tls-files.ts';

let root: string;
let environment: ConfigEnvironment;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-config-'));
  environment = { variables: {}, home: join(root, 'home'), etc: join(root, 'etc') };
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, text = ''): Promise<string> {
  const whole = join(root, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text);
  return whole;
}
const registry = (host: string, more = ''): string => `[[registry]]\nlocation = "${host}"\n${more}`;
const prefixes = (given = environment): string[] => [...readRegistriesConf(given).entries.keys()];

describe('the files of registries.conf', () => {
  it('are none on a machine without them', () => {
    expect(prefixes()).toEqual([]);
  });

  it("are the machine's with its drop-ins by name, then the user's drop-ins", async () => {
    await put('etc/containers/registries.conf', registry('main.io'));
    await put('etc/containers/registries.conf.d/20-b.conf', registry('b.io'));
    await put('etc/containers/registries.conf.d/10-a.conf', registry('a.io'));
    await put('etc/containers/registries.conf.d/README', 'not read');
    await put('home/.config/containers/registries.conf.d/u.conf', registry('u.io'));
    expect(prefixes()).toEqual(['main.io', 'a.io', 'b.io', 'u.io']);
  });

  it("are the user's alone where the user has a main file", async () => {
    await put('etc/containers/registries.conf', registry('main.io'));
    await put('etc/containers/registries.conf.d/a.conf', registry('a.io'));
    await put('home/.config/containers/registries.conf', registry('own.io'));
    await put('home/.config/containers/registries.conf.d/u.conf', registry('u.io'));
    expect(prefixes()).toEqual(['own.io', 'u.io']);
  });

  it('begin with the one that CONTAINERS_REGISTRIES_CONF names, and XDG_CONFIG_HOME says where the user has them', async () => {
    const named = await put('named.conf', registry('named.io'));
    await put('etc/containers/registries.conf', registry('main.io'));
    await put('xdg/containers/registries.conf.d/u.conf', registry('u.io'));
    const variables = { CONTAINERS_REGISTRIES_CONF: named, XDG_CONFIG_HOME: join(root, 'xdg') };
    expect(prefixes({ ...environment, variables })).toEqual(['named.io', 'u.io']);
    expect(prefixes({ ...environment, variables: { CONTAINERS_REGISTRIES_CONF: '/dev/null' } })).toEqual([]);
  });

  it('are an error where one that is named is not there, is endless, not text, or wrong', async () => {
    const named = (path: string) => () => prefixes({ ...environment, variables: { CONTAINERS_REGISTRIES_CONF: path } });
    expect(named(join(root, 'none'))).toThrow('is not there');
    expect(named('/dev/zero')).toThrow('is larger than');
    expect(named(root)).toThrow('cannot be read');
    const binary = await put('binary.conf');
    await writeFile(binary, Buffer.from([0x23, 0xff, 0xfe]));
    expect(named(binary)).toThrow('is not UTF-8');
    await put('etc/containers/registries.conf.d/a.conf', 'x = ');
    expect(() => prefixes()).toThrow(`${join(root, 'etc/containers/registries.conf.d/a.conf')}:1: is not TOML`);
  });
});

it("daemon.json: each list comes from the user's, else from the machine's", async () => {
  await put('etc/docker/daemon.json', '{"registry-mirrors":["https://etc.corp"],"insecure-registries":["etc.corp"]}');
  await put('home/.config/docker/daemon.json', '{"registry-mirrors":["https://own.corp"]}');
  const { mirrors, insecure } = readDockerDaemon(environment);
  expect(mirrors.map(({ url }) => url.hostname)).toEqual(['own.corp']);
  expect(insecure.map(({ value }) => value)).toEqual(['etc.corp']);
});

describe('a folder of certificates', () => {
  it('has authorities and pairs', async () => {
    for (const name of ['b.crt', 'a.crt', 'client.cert', 'client.key', 'notes.txt', '.crt']) await put(`d/${name}`);
    const found = certificateFolder(join(root, 'd'));
    expect(found.authorities.map(({ path }) => path)).toEqual([join(root, 'd/a.crt'), join(root, 'd/b.crt')]);
    expect(found.clients).toMatchObject([
      { certificate: join(root, 'd/client.cert'), key: join(root, 'd/client.key') },
    ]);
  });

  it.each([
    ['x.cert', 'x.key is missing'],
    ['x.key', 'x.cert is missing'],
  ])('with only %s is an error', async (name, message) => {
    await put(`d/${name}`);
    expect(() => certificateFolder(join(root, 'd'))).toThrow(message);
  });

  it('adds authorities of all places, and takes the client certificate of the first', async () => {
    for (const name of ['one/h:5000/a.crt', 'two/h:5000/b.crt', 'two/h:5000/c.cert', 'two/h:5000/c.key'])
      await put(name);
    await put('three/h:5000/d.cert');
    await put('three/h:5000/d.key');
    await symlink('h:5000', join(root, 'one/other'));
    const folders = ['one', 'two', 'three'].map((name) => join(root, name));
    const found = hostCertificates(folders, ['h:5000']);
    expect(found.authorities.map(({ path }) => path)).toEqual([
      join(root, 'one/h:5000/a.crt'),
      join(root, 'two/h:5000/b.crt'),
    ]);
    expect(found.clients.map(({ key }) => key)).toEqual([join(root, 'two/h:5000/c.key')]);
    expect(hostCertificates(folders, ['h'])).toEqual({ authorities: [], clients: [] });
    await chmod(join(root, 'one'), 0o755);
  });
});
