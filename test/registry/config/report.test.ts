import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Configuration } from '../../../src/registry/config/configuration.ts';
import { Registries, type RegistrySettings } from '../../../src/registry/index.ts';
import { registryReportText } from '../../../src/ui/registry-report.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-report-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, text: string): Promise<void> {
  const whole = join(root, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text);
}

async function describeName(text: string, settings: RegistrySettings = {}, variables: Record<string, string> = {}) {
  const environment = { variables, home: join(root, 'home'), etc: join(root, 'etc') };
  const all = { authFile: join(root, 'auth.json'), ...settings };
  await using registries = new Registries(all, { configuration: new Configuration(all, environment) });
  return registries.describe(text);
}

it('tells what applies to an image and which file says so, without a secret', async () => {
  await put(
    'auth.json',
    JSON.stringify({ auths: { 'mirror.test': { auth: Buffer.from('me:hunter2').toString('base64') } } }),
  );
  await put('etc/docker/certs.d/mirror.test/ca.crt', '');
  await put('etc/docker/certs.d/mirror.test/client.cert', '');
  await put('etc/docker/certs.d/mirror.test/client.key', '');
  await put(
    'etc/containers/registries.conf',
    `unqualified-search-registries = ["quay.io"]
[[registry]]
prefix = "docker.io/library"
location = "inner.test/hub"
insecure = true
shiny = true
[[registry.mirror]]
location = "mirror.test/hub"
pull-from-mirror = "digest-only"
[aliases]
"debian" = "other.test/debian"
`,
  );
  await put(
    'etc/containerd/certs.d/inner.test/hosts.toml',
    'server = "https://inner.test"\nproxy = "http://own:hunter2@proxy.test:8080"\n[header]\nX-Key = "hunter2"\n',
  );
  const report = await describeName(
    'debian',
    {},
    { ALL_PROXY: 'http://u:hunter2@all.test:1', NO_PROXY: 'x.test', SSL_CERT_FILE: '/s.pem' },
  );
  const text = registryReportText(report).replaceAll(root, '');
  expect(text).toBe(`docker.io/library/debian

mirror 1          https://mirror.test/v2/hub/debian  (/etc/containers/registries.conf:7)
  serves          digests
  certificates    checked
  authority       /etc/docker/certs.d/mirror.test/ca.crt  (/etc/docker/certs.d/mirror.test)
  our certificate /etc/docker/certs.d/mirror.test/client.cert, /etc/docker/certs.d/mirror.test/client.key  (/etc/docker/certs.d/mirror.test)
  proxy           http://all.test:1  (ALL_PROXY)
  credential      me  (/auth.json)

registry          https://inner.test/v2/hub/debian  (/etc/containerd/certs.d/inner.test/hosts.toml:1)
  certificates    any is taken  (/etc/containers/registries.conf:2)
  headers         x-key
  proxy           http://proxy.test:8080  (/etc/containerd/certs.d/inner.test/hosts.toml:1)
  credential      none

pushes go to      https://inner.test/v2/hub/debian
authorities       /s.pem  (SSL_CERT_FILE)

note: /etc/containers/registries.conf:6: shiny is no setting that we know, and is passed over
note: debian is docker.io/library/debian here; podman makes it other.test/debian (/etc/containers/registries.conf:11)
`);
  expect(JSON.stringify(report)).not.toContain('hunter2');
});

it.each([
  ['localhost:5000', 'http://localhost:5000/v2/'],
  ['[::1]:5000', 'http://[::1]:5000/v2/'],
  ['quay.io', 'https://quay.io/v2/'],
  ['registry-1.docker.io', 'https://registry-1.docker.io/v2/'],
  ['box:5000', 'https://box:5000/v2/'],
  ['debian:12', 'https://registry-1.docker.io/v2/library/debian'],
  ['quay.io/a/b:1.2', 'https://quay.io/v2/a/b'],
])('%s is at %s', async (text, url) => {
  expect((await describeName(text)).location.url).toBe(url);
});

it.each([
  ['--tls-verify=false', {}, { tlsVerify: false }, '--tls-verify'],
  [
    'registries.conf',
    { 'etc/containers/registries.conf': '[[registry]]\nlocation = "a.test"\ninsecure = true' },
    {},
    'registries.conf:1',
  ],
  ['daemon.json', { 'etc/docker/daemon.json': '{\n"insecure-registries": ["a.test"]}' }, {}, 'daemon.json:2'],
  ['hosts.toml', { 'etc/containerd/certs.d/a.test/hosts.toml': 'skip_verify = true' }, {}, 'hosts.toml'],
  ['nobody', {}, {}, null],
  [
    'nobody, where --tls-verify overrules',
    { 'etc/docker/daemon.json': '{"insecure-registries": ["a.test"]}' },
    { tlsVerify: true },
    null,
  ],
])('who waives the check of certificates: %s', async (_name, files, settings, by) => {
  for (const [path, text] of Object.entries(files)) await put(path, text);
  const { location } = await describeName('a.test/b', settings);
  expect(location.unverifiedBy).toEqual(by === null ? null : expect.stringContaining(by));
  expect(location.verify).toBe(by === null);
});

it('blocked registries are shown, and with what', async () => {
  await put('etc/containers/registries.conf.d/50-no.conf', '[[registry]]\nlocation = "no.test"\nblocked = true');
  expect(registryReportText(await describeName('no.test/a')).replaceAll(root, '')).toContain(
    'blocked by /etc/containers/registries.conf.d/50-no.conf:1\n',
  );
});
