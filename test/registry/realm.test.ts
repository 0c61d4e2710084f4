import { describe, expect, it } from '@jest/globals';
import { checkRealm } from '../../src/registry/auth/realm.ts';

const hub = 'https://registry-1.docker.io';

describe('a realm gets the credential', () => {
  const allowed: readonly (readonly [string, string, string])[] = [
    ['of the registry itself', 'https://r.example.com', 'https://r.example.com/token'],
    ['on another port of the same host', 'https://r.example.com', 'https://r.example.com:8443/token'],
    ['of Docker Hub', hub, 'https://auth.docker.io/token'],
    ['of the parent domain', 'https://registry.gitlab.com', 'https://gitlab.com/jwt/auth'],
    ['of a sibling', 'https://cr.example.co.uk', 'https://auth.example.co.uk/token'],
    ['of a known pair', 'https://nvcr.io', 'https://authn.nvidia.com/token'],
    ['by http where the registry is http, on one host', 'http://r.example.com:5000', 'http://r.example.com:5001/token'],
    ['on loopback, by another name', 'http://127.0.0.1:5000', 'http://localhost:5001/token'],
    ['on the same private address', 'https://10.1.2.3', 'https://10.1.2.3:8443/token'],
  ];
  it.each(allowed)('%s', (_, registry, realm) => {
    expect(checkRealm({ registry: new URL(registry), realm, sendsCredential: true }).href).toBe(realm);
  });
});

describe('a realm does not get the credential', () => {
  const refused: readonly (readonly [string, string, string])[] = [
    ['on another domain', 'https://r.example.com', 'https://r.example.net/token'],
    ['with the registry as a prefix', 'https://example.com', 'https://example.com.evil.net/token'],
    ['with the registry as a suffix', 'https://example.com', 'https://evilexample.com/token'],
    ['by http from https', 'https://r.example.com', 'http://r.example.com/token'],
    ['by http on another host', 'http://r.example.com', 'http://auth.example.com/token'],
    ['on a private address', 'https://r.example.com', 'https://10.0.0.1/token'],
    ['on a link-local address', 'https://r.example.com', 'https://169.254.169.254/token'],
    ['on a mapped private address', 'https://r.example.com', 'https://[::ffff:10.0.0.1]/token'],
    ['on a unique local address', 'https://r.example.com', 'https://[fd00::1]/token'],
    ['on loopback', 'https://r.example.com', 'https://localhost/token'],
    ['beside it at a hoster', 'https://mine.azurecr.io', 'https://theirs.azurecr.io/token'],
    ['beside it at AWS', 'https://1.dkr.ecr.eu-west-1.amazonaws.com', 'https://evil.s3.amazonaws.com/token'],
    ['beside it in a cloud', 'https://r.eu.cloudapp.azure.com', 'https://evil.eu.cloudapp.azure.com/token'],
    ['beside it at a tunnel', 'https://mine.ngrok.dev', 'https://theirs.ngrok.dev/token'],
    ['below the same co.uk', 'https://r.co.uk', 'https://evil.co.uk/token'],
  ];
  it.each(refused)('%s', (_, registry, realm) => {
    const check = { registry: new URL(registry), realm };
    expect(() => checkRealm({ ...check, sendsCredential: true })).toThrow(
      expect.objectContaining({ code: 'REALM_REFUSED' }),
    );
  });

  const anonymous: readonly (readonly [string, string, string, boolean])[] = [
    ['another domain', 'https://r.example.com', 'https://auth.example.net/token', true],
    ['plain http', 'https://r.example.com', 'http://auth.example.com/token', true],
    ['a private address', 'https://r.example.com', 'https://192.168.7.7/token', false],
    ['the metadata service of a cloud', 'https://r.example.com', 'http://169.254.169.254/latest', false],
    ['this machine', 'https://r.example.com', 'http://localhost:8080/token', false],
    ['a private address, of a registry on one', 'https://10.0.0.1', 'https://10.0.0.2/token', true],
    ['this machine, of a registry on it', 'http://127.0.0.1:5000', 'http://127.0.0.1:5001/token', true],
  ];
  it.each(anonymous)('an anonymous token from %s', (_, registry, realm, fine) => {
    const ask = () => checkRealm({ registry: new URL(registry), realm, sendsCredential: false }).href;
    if (fine) expect(ask()).toBe(new URL(realm).href);
    else expect(ask).toThrow(expect.objectContaining({ code: 'REALM_REFUSED' }));
  });

  it.each(['', 'token', 'file:///etc/passwd', 'https://user:pass@r.example.com/'])('%j is no realm at all', (realm) => {
    const check = { registry: new URL('https://r.example.com'), realm, sendsCredential: false };
    expect(() => checkRealm(check)).toThrow(expect.objectContaining({ code: 'BAD_RESPONSE' }));
  });

  it('unless the user trusts its host', () => {
    const check = {
      registry: new URL('https://r.example.com'),
      realm: 'https://r.example.net/t',
      sendsCredential: true,
    };
    expect(checkRealm({ ...check, trusted: ['r.example.net'] }).host).toBe('r.example.net');
    expect(() => checkRealm({ ...check, trusted: ['example.net'] })).toThrow('not sent');
  });

  it('by plain http from https, even if the user trusts its host', () => {
    const check = {
      registry: new URL('https://r.example.com'),
      realm: 'http://r.example.net/t',
      trusted: ['r.example.net'],
    };
    const refusal = expect.objectContaining({ code: 'REALM_REFUSED', hint: undefined });
    expect(() => checkRealm({ ...check, sendsCredential: true })).toThrow(refusal);
    expect(checkRealm({ ...check, sendsCredential: false }).host).toBe('r.example.net');
    expect(checkRealm({ ...check, registry: new URL('http://r.example.com'), sendsCredential: true }).host).toBe(
      'r.example.net',
    );
  });
});
