import { describe, expect, it } from '@jest/globals';
import { environmentProxies } from '../../../src/registry/config/proxies.ts';
import { addressRule, parseAddressRule } from '../../../src/registry/config/resolve-rules.ts';

describe('the proxy of a URL', () => {
  const proxied = (url: string, variables: Record<string, string>) =>
    environmentProxies(variables)(new URL(url))?.url.href;

  it.each([
    ['https://a.io', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128/'],
    ['https://a.io', { https_proxy: 'http://small:1', HTTPS_PROXY: 'http://large:1' }, 'http://small:1/'],
    ['https://a.io', { HTTP_PROXY: 'http://p:3128' }, undefined],
    ['http://a.io', { HTTP_PROXY: 'p:3128' }, 'http://p:3128/'],
    ['http://a.io', { ALL_PROXY: 'socks5h://p:1080' }, 'socks5h://p:1080'],
    ['https://a.io', { ALL_PROXY: 'http://all:1', HTTPS_PROXY: 'https://own:1' }, 'https://own:1/'],
    ['https://a.io', { HTTPS_PROXY: '' }, undefined],
    ['http://127.0.0.1:5000', { ALL_PROXY: 'http://p:1' }, undefined],
    ['http://[::1]:5000', { ALL_PROXY: 'http://p:1' }, undefined],
    ['http://x.localhost', { ALL_PROXY: 'http://p:1' }, undefined],
  ])('%s with %j is %s', (url, variables, proxy) => {
    expect(proxied(url, variables)).toBe(proxy);
  });

  it.each([
    ['*', 'https://a.io', true],
    ['a.io', 'https://a.io', true],
    ['a.io', 'https://b.a.io', true],
    ['a.io', 'https://ba.io', false],
    ['.a.io', 'https://a.io', false],
    ['.a.io', 'https://b.a.io', true],
    ['*.a.io', 'https://c.b.a.io', true],
    ['*.a.io', 'https://a.io', false],
    ['A.IO', 'https://a.io', true],
    ['a.io:443', 'https://a.io', true],
    ['a.io:5000', 'https://a.io', false],
    ['a.io:5000', 'https://a.io:5000', true],
    ['x, a.io ,y', 'https://a.io', true],
    ['x a.io', 'https://a.io', true],
    ['10.0.0.0/8', 'https://10.1.2.3:5000', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/33', 'https://10.1.2.3', false],
    ['10.1.2.3', 'https://10.1.2.3', true],
    ['10.1.2.3:443', 'https://10.1.2.3', true],
    ['10.1.2.3:80', 'https://10.1.2.3', false],
    ['fd00::/8', 'https://[fd12::1]:5000', true],
    ['fd12::1', 'https://[fd12::1]', true],
    ['[fd12::1]:5000', 'https://[fd12::1]:5000', true],
    ['[fd12::1]:5000', 'https://[fd12::1]', false],
    ['', 'https://a.io', false],
  ])('NO_PROXY=%s and %s: direct is %s', (exceptions, url, isDirect) => {
    const variables = { HTTPS_PROXY: 'http://p:1', NO_PROXY: exceptions };
    expect(proxied(url, variables) === undefined).toBe(isDirect);
  });

  it.each(['ftp://u:hunter2@p', 'http://u:hunter2@p/path', 'http://', 'http://u:hunter2@p:x'])(
    'that cannot be one is an error, without its password (%s)',
    (proxy) => {
      expect(() => proxied('https://a.io', { HTTPS_PROXY: proxy })).toThrow(/^HTTPS_PROXY: .*proxy/);
      expect(() => proxied('https://a.io', { HTTPS_PROXY: proxy })).not.toThrow('hunter2');
      expect(() => proxied('https://a.io', { HTTPS_PROXY: proxy, NO_PROXY: 'a.io' })).not.toThrow();
    },
  );
});

describe('--resolve', () => {
  it.each([
    ['a.io:443:127.0.0.1', 'https://a.io', '127.0.0.1', undefined],
    ['a.io:443:127.0.0.1:5443', 'https://a.io', '127.0.0.1', '5443'],
    ['a.io:443:::1', 'https://a.io', '::1', undefined],
    ['a.io:443:[::1]:5443', 'https://a.io', '::1', '5443'],
    ['A.io:5000:10.0.0.1', 'http://a.io:5000', '10.0.0.1', undefined],
    ['[fd00::1]:5000:127.0.0.1', 'http://[fd00::1]:5000', '127.0.0.1', undefined],
  ])('%s sends %s to %s', (text, url, address, addressPort) => {
    expect(addressRule([parseAddressRule(text)], new URL(url))).toMatchObject({ address, addressPort });
  });

  it('holds for its port only, and the last one wins', () => {
    const rules = ['a.io:443:10.0.0.1', 'a.io:443:10.0.0.2'].map(parseAddressRule);
    expect(addressRule(rules, new URL('https://a.io'))?.address).toBe('10.0.0.2');
    expect(addressRule(rules, new URL('https://a.io:5000'))).toBeUndefined();
    expect(addressRule(rules, new URL('http://a.io'))).toBeUndefined();
  });

  it.each(['a.io', 'a.io:443', 'a.io:443:b.io', 'a.io:99999:1.2.3.4', 'a.io:x:1.2.3.4', 'a.io:443:1.2.3.4:99999', ''])(
    '%j is refused',
    (text) => {
      expect(() => parseAddressRule(text)).toThrow('is not HOST:PORT:ADDRESS');
    },
  );
});
