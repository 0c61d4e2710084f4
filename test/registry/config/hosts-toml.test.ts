import { describe, expect, it } from '@jest/globals';
import { parseHostsToml } from '../../../src/registry/config/hosts-toml.ts';

const path = '/etc/containerd/certs.d/docker.io/hosts.toml';
const parse = (text: string) => parseHostsToml({ path, text });

describe('a hosts.toml', () => {
  it('is read with everything that containerd knows', () => {
    const { hosts, server, unknown } = parse(`server = "https://registry-1.docker.io"
ca = "/top.pem"

[host."https://public.example.com"]
  capabilities = ["pull"]
[host."http://10.0.0.1:5000/mirror"]
  capabilities = ["pull", "Resolve"]
  ca = ["a.crt", "/b.crt"]
  client = [["client.cert", "client.key"], ["both.pem", ""], "one.pem"]
  skip_verify = true
  dial_timeout = "1.5s"
  override_path = true
  proxy = "http://proxy:8080"
  [host."http://10.0.0.1:5000/mirror".header]
    X-Custom = ["a", "b"]
[host."push.example.com"]
  capabilities = ["push"]
`);
    const folder = '/etc/containerd/certs.d/docker.io';
    expect(unknown).toEqual([]);
    expect(server).toMatchObject({
      url: new URL('https://registry-1.docker.io/v2'),
      capabilities: undefined,
      place: { source: path, line: 1 },
      tls: { authorities: [{ path: '/top.pem', place: { source: path, line: 2 } }] },
    });
    expect(hosts.map(({ url }) => url?.href)).toEqual([
      'https://public.example.com/v2',
      'http://10.0.0.1:5000/mirror',
      'https://push.example.com/v2',
    ]);
    expect(hosts.map(({ capabilities }) => [...(capabilities ?? [])])).toEqual([
      ['pull'],
      ['pull', 'resolve'],
      ['push'],
    ]);
    expect(hosts[1]).toMatchObject({
      skipVerify: true,
      dialTimeout: 1500,
      headers: { 'x-custom': 'a, b' },
      proxy: new URL('http://proxy:8080'),
      place: { source: path, line: 6 },
      tls: {
        authorities: [{ path: `${folder}/a.crt` }, { path: '/b.crt' }],
        clients: [
          { certificate: `${folder}/client.cert`, key: `${folder}/client.key` },
          { certificate: `${folder}/both.pem`, key: `${folder}/both.pem` },
          { certificate: `${folder}/one.pem`, key: `${folder}/one.pem` },
        ],
      },
    });
  });

  it.each([
    ['https://a.io', false, 'https://a.io/v2'],
    ['https://a.io/', false, 'https://a.io/v2'],
    ['https://a.io/v2', false, 'https://a.io/v2'],
    ['https://a.io/v2/', false, 'https://a.io/v2'],
    ['https://a.io//x/', false, 'https://a.io/x/v2'],
    ['https://a.io/v2/proxy', true, 'https://a.io/v2/proxy'],
    ['a.io:5000', false, 'https://a.io:5000/v2'],
    ['http://[::1]:5000', false, 'http://[::1]:5000/v2'],
  ])('the API of %s (override_path %s) is %s', (server, override, api) => {
    const { hosts } = parse(`[host."${server}"]\noverride_path = ${String(override)}`);
    expect(hosts[0]?.url?.href).toBe(api);
  });

  it('without server leaves the host itself last', () => {
    expect(parse('[host."https://a.io"]').server.url).toBeUndefined();
  });

  it.each([
    ['not TOML', '[host', ':1: is not TOML'],
    [
      'an unknown capability',
      '[host."https://a.io"]\ncapabilities = ["fly"]',
      ':2: "fly" is none of pull, resolve and push',
    ],
    ['a user in a URL', 'server = "https://u:hunter2@a.io"', ':1: a server is a host or an http or https URL'],
    ['another scheme', 'server = "ftp://a.io"', ':1: a server is a host or'],
    ['a query', 'server = "https://a.io/?x=hunter2"', ':1: a server is a host or'],
    ['a header with a line break', '[host."https://a.io".header]\nx = "a\\nb: hunter2"', ':2: "x" is not a header'],
    ['a header that is no text', '[host."https://a.io".header]\nx = 1', ':2: x must be a text'],
    ['a header that is decided elsewhere', '[header]\nHost = "b.io"', ':2: the header host'],
    ['a ca that is a pair', 'ca = [["a", "b"]]', ':1: ca must be a path'],
    ['a client of three', 'client = [["a", "b", "c"]]', ':1: client must be a path'],
    ['a time that is none', 'dial_timeout = "soon"', ':1: "soon" is not a time'],
    ['a proxy that is none', 'proxy = "ftp://u:hunter2@p"', ':1: is not the URL of a proxy'],
    ['a switch that is none', '\nskip_verify = 1', ':2: skip_verify must be true or false'],
    ['a host that is no table', 'host = 1', ':1: host must be a table'],
  ])('is refused with file and line, and without secrets: %s', (_name, text, message) => {
    expect(() => parse(text)).toThrow(`${path}${message}`);
    expect(() => parse(text)).not.toThrow('hunter2');
  });

  it('names keys that nobody knows', () => {
    expect(
      parse('skip-verify = true\n[host."https://a.io"]\nmirror = 1').unknown.map(({ key, place }) => [key, place.line]),
    ).toEqual([
      ['skip-verify', 1],
      ['mirror', 3],
    ]);
  });
});
