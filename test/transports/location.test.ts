import { describe, expect, it } from '@jest/globals';
import { isStandardOutput, parseLocation } from '../../src/transports/index.ts';

const digest = `sha256:${'0'.repeat(64)}`;

describe('parseLocation', () => {
  it.each([
    ['oci:/tmp/x', 'oci', '/tmp/x', ''],
    ['oci:/tmp/x:v1', 'oci', '/tmp/x', 'v1'],
    ['oci:x:docker.io/library/debian:12', 'oci', 'x', 'docker.io/library/debian:12'],
    [`oci:/tmp/x@${digest}`, 'oci', '/tmp/x', digest],
    [`oci:/tmp/x:v1@${digest}`, 'oci', '/tmp/x', digest],
    ['oci:/home/a@b/x:v1', 'oci', '/home/a@b/x', 'v1'],
    ['oci-archive:x.tar', 'oci-archive', 'x.tar', ''],
    ['oci-archive:x.tar:v1', 'oci-archive', 'x.tar', 'v1'],
    ['docker-archive:x.tar:debian:12', 'docker-archive', 'x.tar', 'debian:12'],
    ['oci-layout:///tmp/x', 'oci', '/tmp/x', ''],
    ['oci-layout://x/y:v1', 'oci', 'x/y', 'v1'],
    ['oci-layout:///tmp/a:b/c:v1', 'oci', '/tmp/a:b/c', 'v1'],
    [`oci-layout://x@${digest}`, 'oci', 'x', digest],
    [`oci-layout://x:v1@${digest}`, 'oci', 'x', digest],
    ['oci://tmp/x:v1', 'oci', '//tmp/x', 'v1'],
    ['oci://tmp/x', 'oci', '//tmp/x', ''],
    ['dir:/tmp/x:1', 'dir', '/tmp/x:1', ''],
    ['docker-daemon:debian:12', 'docker-daemon', 'debian:12', ''],
    ['-', 'docker-archive', '-', ''],
    ['oci-archive:-:v1', 'oci-archive', '-', 'v1'],
  ])('%s is %s %s %s', (text, kind, path, reference) => {
    expect(parseLocation(text)).toEqual({ kind, path, reference });
  });

  it.each([
    ['docker://quay.io/a/b:1', 'docker', 'quay.io/a/b:1'],
    ['debian', 'docker', 'debian'],
    ['debian:12', 'docker', 'debian:12'],
    ['localhost:5000/x', 'docker', 'localhost:5000/x'],
    [`debian@${digest}`, 'docker', `debian@${digest}`],
    ['constructor:1', 'docker', 'constructor:1'],
    ['store:debian:12', 'store', 'debian:12'],
    ['store:localhost:5000/x', 'store', 'localhost:5000/x'],
  ])('%s is the name %s %s', (text, kind, reference) => {
    expect(parseLocation(text)).toEqual({ kind, reference });
  });

  it('takes a name without a place as its caller does', () => {
    expect(parseLocation('debian:12', 'store')).toEqual({ kind: 'store', reference: 'debian:12' });
    expect(parseLocation('docker://debian:12', 'store')).toEqual({ kind: 'docker', reference: 'debian:12' });
  });

  it.each([
    'oci:',
    'oci::v1',
    'oci:x@sha256:1',
    'docker://',
    'oci-layout://',
    'http://x/y',
    'constructor://x',
    'dir:',
    'docker-daemon:',
    'containers-storage:/tmp/x',
    'store:',
  ])('%s is refused', (text) => {
    expect(() => parseLocation(text)).toThrow(expect.objectContaining({ code: 'INVALID_LOCATION' }));
  });
});

describe('standard output', () => {
  it.each([
    ['-', true],
    ['oci-archive:-', true],
    ['docker-archive:-:name', true],
    ['oci:-', false],
    ['dir:-', false],
    ['debian', false],
  ])('is %s: %p', (text, expected) => {
    expect(isStandardOutput(text)).toBe(expected);
  });
});
