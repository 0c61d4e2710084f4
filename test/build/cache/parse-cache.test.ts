import { describe, expect, it } from '@jest/globals';
import { parseCacheFrom, parseCacheTo } from '../../../src/build/cache/parse-cache.ts';

const s3 = { bucket: 'b', region: 'eu', prefix: '', names: ['buildkit'], endpoint: undefined, pathStyle: false };

describe('--cache-from', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['user/app:tag', [{ type: 'registry', ref: 'docker.io/user/app:tag' }]],
    [
      'a,localhost:5000/b',
      [
        { type: 'registry', ref: 'docker.io/library/a:latest' },
        { type: 'registry', ref: 'localhost:5000/b:latest' },
      ],
    ],
    ['type=registry,ref=ghcr.io/a/b', [{ type: 'registry', ref: 'ghcr.io/a/b:latest' }]],
    ['TYPE=registry, REF = a', [{ type: 'registry', ref: 'docker.io/library/a:latest' }]],
    ['type=local,src=/c', [{ type: 'local', path: '/c', tag: 'latest' }]],
    ['type=local,src=/c,tag=x', [{ type: 'local', path: '/c', tag: 'x' }]],
    ['type=local,"src=/a,b"', [{ type: 'local', path: '/a,b', tag: 'latest' }]],
    ['type=local,"src=/a""b"', [{ type: 'local', path: '/a"b', tag: 'latest' }]],
    [
      `type=local,src=/c,digest=sha256:${'0'.repeat(64)}`,
      [{ type: 'local', path: '/c', tag: `sha256:${'0'.repeat(64)}` }],
    ],
    ['type=s3,bucket=b,region=eu', [{ type: 's3', ...s3 }]],
    [
      'type=s3,bucket=b,region=eu,prefix=p,name=x;y,endpoint_url=http://h:9000',
      [{ type: 's3', ...s3, prefix: 'p/', names: ['x', 'y'], endpoint: 'http://h:9000', pathStyle: true }],
    ],
    [
      'type=s3,bucket=b,region=eu,prefix=p/,use_path_style=true',
      [{ type: 's3', ...s3, prefix: 'p/', pathStyle: true }],
    ],
    ['type=gha', [{ type: 'gha', scope: 'buildkit', timeout: 600_000, url: undefined }]],
    [
      'type=gha,scope=a,timeout=1m30s,url_v2=https://h/',
      [{ type: 'gha', scope: 'a', timeout: 90_000, url: 'https://h/' }],
    ],
  ];
  it.each(cases)('%s', (text, expected) => expect(parseCacheFrom(text)).toEqual(expected));
});

describe('--cache-to', () => {
  const place = { type: 'registry', ref: 'docker.io/library/a:latest' };
  const whole = {
    type: 'place',
    place,
    mode: 'min',
    form: { mediaTypes: 'oci', compression: 'gzip' },
    ignoreError: true,
  };
  const cases: readonly (readonly [string, unknown])[] = [
    ['a', [whole]],
    ['inline', [{ type: 'inline' }]],
    ['type=inline', [{ type: 'inline' }]],
    ['type=registry,ref=a', [whole]],
    ['type=registry,ref=a,mode=max,ignore-error=false', [{ ...whole, mode: 'max', ignoreError: false }]],
    [
      'type=registry,ref=a,compression=zstd,compression-level=3,force-compression=true,oci-mediatypes=false,image-manifest=true',
      [{ ...whole, form: { compression: 'zstd', level: 3, force: true, mediaTypes: 'docker' } }],
    ],
    ['type=local,dest=/c,mode=max', [{ ...whole, mode: 'max', place: { type: 'local', path: '/c', tag: 'latest' } }]],
  ];
  it.each(cases)('%s', (text, expected) => expect(parseCacheTo(text)).toEqual(expected));
});

describe('what cannot be', () => {
  const cases: readonly (readonly [string, (text: string) => unknown, RegExp])[] = [
    ['type=azblob,account_url=x', parseCacheTo, /type=azblob is not supported/],
    ['type=ftp', parseCacheTo, /unknown type "ftp"/],
    ['ref=a', parseCacheFrom, /type= is missing/],
    ['type=registry', parseCacheFrom, /ref= is missing/],
    ['type=registry,ref=A', parseCacheFrom, /"A" is no image name/],
    ['UPPER', parseCacheFrom, /"UPPER" is no image name/],
    ['type=inline', parseCacheFrom, /an inline cache is in an image/],
    ['type=inline,mode=max', parseCacheTo, /inline has no option "mode"/],
    ['type=registry,ref=a,mode=all', parseCacheTo, /unknown mode "all"/],
    ['type=registry,ref=a,mode=max', parseCacheFrom, /registry has no option "mode"/],
    ['type=registry,ref=a,image-manifest=false', parseCacheTo, /a cache is an image manifest here/],
    ['type=registry,ref=a,ignore-error=perhaps', parseCacheTo, /ignore-error is true or false/],
    ['type=registry,ref=a,compression=lz4', parseCacheTo, /unknown compression/],
    ['type=registry,ref=a,compression-level=10', parseCacheTo, /0 to 9/],
    ['type=registry,ref=a,compression=zstd,compression-level=23', parseCacheTo, /0 to 22/],
    ['type=local', parseCacheTo, /dest= is missing/],
    ['type=local,src=/x', parseCacheTo, /local has no option "src"/],
    ['type=local,src=/x,digest=latest', parseCacheFrom, /"latest" is not a digest/],
    ['type=local,"src=/x', parseCacheFrom, /a quoted field does not end/],
    ['type=local,src', parseCacheFrom, /"src" is not key=value/],
    ['type=s3,region=eu', parseCacheFrom, /s3 needs bucket=/],
    ['type=s3,bucket=b,region=eu,endpoint_url=ftp://x', parseCacheFrom, /no http or https URL/],
    ['type=gha,timeout=soon', parseCacheFrom, /no duration/],
    ['type=gha,version=1', parseCacheFrom, /only version 2/],
  ];
  it.each(cases)('%s', (text, parse, message) => expect(() => parse(text)).toThrow(message));

  it('a credential on the command line is refused, and not repeated', () => {
    const refused = () => parseCacheTo('type=s3,bucket=b,region=eu,secret_access_key=hunter2');
    expect(refused).toThrow(/secret_access_key is not taken from the command line/);
    expect(refused).not.toThrow(/hunter2/);
  });
});
