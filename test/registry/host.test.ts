import { describe, expect, it } from '@jest/globals';
import { baseUrlOf } from '../../src/registry/host.ts';

describe('a registry answers at', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['docker.io', 'https://registry-1.docker.io/'],
    ['index.docker.io', 'https://registry-1.docker.io/'],
    ['ghcr.io', 'https://ghcr.io/'],
    ['GHCR.io', 'https://ghcr.io/'],
    ['r.example.com:5000', 'https://r.example.com:5000/'],
    ['localhost:5000', 'http://localhost:5000/'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000/'],
    ['[::1]:5000', 'http://[::1]:5000/'],
    ['10.0.0.1:5000', 'https://10.0.0.1:5000/'],
    ['127.0.0.1.example.com', 'https://127.0.0.1.example.com/'],
    ['localhost.example.com', 'https://localhost.example.com/'],
  ];
  it.each(cases)('%s: %s', (host, url) => {
    expect(baseUrlOf(host).href).toBe(url);
  });

  it('plain http where that is asked for', () => {
    expect(baseUrlOf('r.example.com', 'http').href).toBe('http://r.example.com/');
  });

  it.each(['', 'a/b', 'user@host', 'a b', 'host:99999', 'host?x', '-a'])('nothing for %j', (host) => {
    expect(() => baseUrlOf(host)).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
  });
});
