import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  digestOf,
  familiarName,
  familiarRepository,
  formatReference,
  parseReference,
  targetReference,
  withDigest,
  withTag,
} from '../../src/oci/index.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

describe('parseReference', () => {
  it.each([
    ['debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['debian:12', 'docker.io/library/debian:12', 'debian:12'],
    ['library/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['index.docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['me/app:v1', 'docker.io/me/app:v1', 'me/app:v1'],
    ['docker.io/me/app', 'docker.io/me/app:latest', 'me/app:latest'],
    ['docker.io/library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest', 'localhost:5000/app:latest'],
    ['localhost:5000', 'docker.io/library/localhost:5000', 'localhost:5000'],
    ['myhost/app', 'docker.io/myhost/app:latest', 'myhost/app:latest'],
    ['MyHost/app', 'MyHost/app:latest', 'MyHost/app:latest'],
    ['quay.io/a/b/c:1.2', 'quay.io/a/b/c:1.2', 'quay.io/a/b/c:1.2'],
    ['127.0.0.1:5000/x', '127.0.0.1:5000/x:latest', '127.0.0.1:5000/x:latest'],
    ['[::1]:5000/x:y', '[::1]:5000/x:y', '[::1]:5000/x:y'],
    ['[fe80::1]/x', '[fe80::1]/x:latest', '[fe80::1]/x:latest'],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`, `debian@${digest}`],
    [`debian:12@${digest}`, `docker.io/library/debian:12@${digest}`, `debian:12@${digest}`],
    ['a__b/c---d.e_f', 'docker.io/a__b/c---d.e_f:latest', 'a__b/c---d.e_f:latest'],
    ['app:_x', 'docker.io/library/app:_x', 'app:_x'],
  ])('%s is %s, shown as %s', (text, full, short) => {
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(full);
    expect(familiarName(reference)).toBe(short);
  });

  it.each([
    ['', 'empty'],
    ['Debian', 'lower case'],
    ['me/App', 'lower case'],
    ['https://quay.io/x', 'URL'],
    ['debian:', 'not a tag'],
    ['debian:-x', 'not a tag'],
    [`debian:${'t'.repeat(129)}`, '128'],
    ['debian@sha256:12', 'not a digest'],
    [`debian@${digest}@${digest}`, 'not a digest'],
    ['debian@sha256:../../../x', 'not a digest'],
    ['a//b', 'empty'],
    ['/a', 'empty'],
    ['a/', 'empty'],
    ['a..b', 'cannot be part'],
    ['a/../b', 'cannot be part'],
    ['-a', 'cannot be part'],
    ['a___b', 'cannot be part'],
    ['a b', 'cannot be part'],
    ['quay.io:99999/x', 'port'],
    ['quay.io:x/x', 'not a host'],
    ['-.io/x', 'not a host'],
    ['[::1:5000/x', 'not a host'],
    ['[::1]:5000', 'not a tag'],
    [`quay.io/${'a'.repeat(256)}`, '255'],
    ['f'.repeat(64), 'image id'],
    ['x'.repeat(5000), 'too long'],
    ['debian\n', 'cannot be part'],
  ])('%j is refused: %s', (text, reason) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'INVALID_REFERENCE' }));
    expect(() => parseReference(text)).toThrow(reason);
  });

  it('says how a name in capitals should be written', () => {
    expect(() => parseReference('quay.io/Me/app')).toThrow(
      expect.objectContaining({ hint: 'did you mean quay.io/me/app?' }),
    );
  });

  it('leaves the tag open where that is asked', () => {
    expect(parseReference('debian', { keepUntagged: true })).not.toHaveProperty('tag');
    expect(parseReference('debian:12', { keepUntagged: true })).toMatchObject({ tag: '12' });
  });

  it('format, then parse, gives the same reference', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,5})?$/);
    const parts = fc.record({
      registry: fc.constantFrom('docker.io', 'localhost', 'localhost:5000', 'Quay.io', '[::1]:80', '10.0.0.1'),
      path: fc.array(component, { minLength: 2, maxLength: 4 }),
      tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: '' }),
      pinned: fc.boolean(),
    });
    fc.assert(
      fc.property(parts, ({ registry, path, tag, pinned }) => {
        const suffix = `${tag === '' ? '' : `:${tag}`}${pinned ? `@${digest}` : ''}`;
        const reference = parseReference(`${registry}/${path.join('/')}${suffix}`);
        expect(parseReference(formatReference(reference))).toEqual(reference);
        expect(parseReference(familiarName(reference))).toEqual(reference);
      }),
    );
  });
});

describe('of a reference', () => {
  const reference = parseReference(`quay.io/a/b:1@${digest}`);
  it('the digest is resolved where there is one, else the tag', () => {
    expect(targetReference(reference)).toBe(digest);
    expect(targetReference(parseReference('debian'))).toBe('latest');
  });
  it('withTag drops the digest, withDigest the tag', () => {
    expect(formatReference(withTag(reference, '2'))).toBe('quay.io/a/b:2');
    expect(formatReference(withDigest(parseReference('debian'), digestOf('x')))).toBe(
      `docker.io/library/debian@${digestOf('x')}`,
    );
    expect(() => withTag(reference, '../x')).toThrow('not a tag');
  });
  it('the repository has a short form too', () => {
    expect(familiarRepository(parseReference('debian'))).toBe('debian');
    expect(familiarRepository(reference)).toBe('quay.io/a/b');
  });
});
