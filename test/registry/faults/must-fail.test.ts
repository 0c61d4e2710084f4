import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDiskStorage, openRepository, startRegistry } from '../../../src/registry/index.ts';
import { dropRoot, freshRoot, image, type Injection, type Outcome, pull, push, putImage, type Rule } from './rig.ts';
import { sending, status } from './rules.ts';

let root: string;
beforeAll(async () => {
  root = await freshRoot();
  await using server = await startRegistry({ storage: await openDiskStorage(root) });
  await putImage(openRepository(`${server.host}/a/b`, { credential: 'anonymous', access: 'push' }));
});
afterAll(() => dropRoot(root));

const always = { times: 'forever' } as const;
const onLarge = (rule: Rule): Rule => ({ on: 'get-blob', path: `*/blobs/${image.large.digest}`, ...always, ...rule });
const reading = ['get-manifest', 'head-manifest'] as const;

/** The row of the table, what is injected, how, the code that must come of it, words it must say, and what else must be seen. */
type Row = readonly [
  row: string,
  injected: string,
  injection: Injection,
  code: string,
  words?: RegExp,
  check?: (outcome: Outcome) => void,
];
const complete = (rows: readonly Row[]) =>
  rows.map(
    ([row, injected, injection, code, words = /./, check = () => {}]) =>
      [row, injected, { injection, code, words, check }] as const,
  );

/** A document in place of the manifest. */
const document = (body: unknown, type = 'application/vnd.oci.image.manifest.v1+json'): Rule =>
  status('get-manifest', 200, {
    ...always,
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const bare = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: image.config,
  layers: [],
};
const challenge = (realm: string): Rule =>
  status(reading, 401, { ...always, headers: { 'www-authenticate': `Bearer realm="${realm}",service="x"` } });
const noToken = ({ tokenRequests }: Outcome): void => expect(tokenRequests).toEqual([]);
/** Far fewer than six tries of every request would be. */
const few =
  (most: number) =>
  ({ requests }: Outcome): void =>
    expect(requests.length).toBeLessThanOrEqual(most);

const contents: readonly Row[] = [
  [
    '6',
    'a byte of a blob is wrong',
    { faults: [onLarge({ fault: 'corrupt', offset: 7_000_000 })] },
    'DIGEST_MISMATCH',
    /sha256:[0-9a-f]{64}[^]*sha256:[0-9a-f]{64}/,
    ({ requests }) => {
      expect(requests.filter(({ url }) => url.endsWith(image.large.digest))).toHaveLength(2);
    },
  ],
  ['7', 'a blob is too short', { faults: [onLarge({ fault: 'shorten', by: 10 })] }, 'SIZE_MISMATCH'],
  ['8', 'a blob is too long', { faults: [onLarge({ fault: 'lengthen', by: 10 })] }, 'SIZE_MISMATCH'],
  [
    '8',
    'a blob is far too long',
    { faults: [{ on: 'get-blob', path: `*${image.little.digest}`, ...always, fault: 'lengthen', by: 60_000_000 }] },
    'SIZE_MISMATCH',
  ],
  [
    '20',
    'the manifest is cut off',
    { faults: [{ on: 'get-manifest', ...always, fault: 'shorten', by: 20 }] },
    'BAD_RESPONSE',
    /\d+ bytes/,
  ],
  [
    '21',
    'a manifest of 20 MiB',
    { faults: [status('get-manifest', 200, { ...always, body: '{', filler: 20 * 1024 * 1024 })] },
    'TOO_LARGE',
    /too large/,
  ],
  [
    '21',
    'a manifest of 20 MiB that does not tell its length',
    {
      faults: [
        status('get-manifest', 200, {
          ...always,
          body: '{',
          filler: 20 * 1024 * 1024,
          headers: { 'transfer-encoding': 'chunked' },
        }),
      ],
    },
    'TOO_LARGE',
    /too large/,
  ],
  [
    '23',
    'Docker-Content-Digest lies about a digest',
    {
      reference: image.root.digest,
      faults: [
        {
          on: 'get-manifest',
          path: '*/sha256:*',
          ...always,
          fault: 'headers',
          set: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
        },
      ],
    },
    'DIGEST_MISMATCH',
  ],
  [
    '+',
    'a manifest of schema 1',
    {
      faults: [
        document(
          { schemaVersion: 1, name: 'a/b', tag: 'v1', fsLayers: [], history: [], signatures: [] },
          'application/vnd.docker.distribution.manifest.v1+prettyjws',
        ),
      ],
    },
    'BAD_RESPONSE',
    /schema/,
  ],
  ['S', 'a manifest with layers and manifests', { faults: [document({ ...bare, manifests: [] })] }, 'BAD_RESPONSE'],
  [
    'S',
    'a manifest whose Content-Type is that of an index',
    { faults: [document(bare, 'application/vnd.oci.image.index.v1+json')] },
    'BAD_RESPONSE',
  ],
  [
    'S',
    'a manifest of an unknown type',
    { faults: [document({ ...bare, mediaType: 'application/x-evil' }, 'application/x-evil')] },
    'BAD_RESPONSE',
  ],
  [
    'S',
    'a manifest without schemaVersion',
    { faults: [document({ ...bare, schemaVersion: undefined })] },
    'BAD_RESPONSE',
  ],
  [
    'S',
    'a digest that is a path',
    {
      faults: [document({ ...bare, layers: [{ ...image.little, digest: 'sha256:../../../etc/passwd' }] })],
    },
    'BAD_RESPONSE',
  ],
  [
    'S',
    'a small body that unpacks into a huge one',
    {
      faults: [status('get-manifest', 200, { ...always, body: '{', filler: 60_000_000 })],
      proxy: [{ on: 'get-manifest', ...always, fault: 'encode' }],
    },
    'BAD_RESPONSE',
  ],
];

const connections: readonly Row[] = [
  [
    '11',
    '429 for ever',
    {
      faults: [
        status(['get-blob'], 429, {
          ...always,
          headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' },
          body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}',
        }),
      ],
    },
    'RATE_LIMITED',
    /pull rate limit[^]*slipway login[^]*mirror[^]*0;w=21600/,
    few(30),
  ],
  [
    '11',
    '429 in bare text for ever',
    { faults: [status('get-blob', 429, { ...always, body: 'Too Many Requests' })] },
    'RATE_LIMITED',
    /Too Many Requests/,
  ],
  [
    '9',
    '429 that wants an hour',
    { faults: [status('get-blob', 429, { ...always, headers: { 'retry-after': '3600' } })] },
    'RATE_LIMITED',
    /./,
    few(12),
  ],
  ['14', '500 for everything for ever', { faults: [status([], 500, always)] }, 'UNAVAILABLE', /500/, few(12)],
  ['14', '500 for all blobs for ever', { faults: [status('get-blob', 500, always)] }, 'UNAVAILABLE', /500/, few(24)],
  ['13', '503 for ever', { faults: [status('get-blob', 503, always)] }, 'UNAVAILABLE', /503/, few(24)],
  [
    '16',
    'nothing comes after 1 MiB of it, and then nothing at all',
    {
      session: { attempts: 2, stallTimeout: 200, headersTimeout: 200 },
      faults: [
        { on: 'get-blob', path: `*${image.large.digest}`, fault: 'stall', at: 'answer', after: 1024 * 1024 },
        onLarge({ fault: 'stall', at: 'answer' }),
      ],
    },
    'TIMEOUT',
  ],
  [
    '17',
    'headers never come',
    { session: { attempts: 2, stallTimeout: 200, headersTimeout: 200 }, faults: [onLarge({ fault: 'stall' })] },
    'TIMEOUT',
  ],
  ['29', 'every connection is closed', { faults: [{ on: 'connection', ...always, fault: 'drop' }] }, 'NETWORK'],
  ['29', 'every answer with a blob breaks at once', { faults: [onLarge({ fault: 'drop', at: 'answer' })] }, 'NETWORK'],
  [
    '+',
    'the repository is missing',
    {
      faults: [
        status(reading, 404, {
          ...always,
          body: '{"errors":[{"code":"NAME_UNKNOWN","message":"The repository does not exist in the registry with id 42"}]}',
        }),
      ],
    },
    'NOT_FOUND',
    /registry with id 42/,
  ],
  [
    '+',
    'an error of 3 MiB of HTML',
    {
      faults: [
        status('get-blob', 403, {
          ...always,
          body: `<!doctype html><html><head><style>p{}</style></head><body><h1>Access blocked by proxy</h1>${'<p>blah</p>'.repeat(2000)}`,
          filler: 3 * 1024 * 1024,
        }),
      ],
    },
    'DENIED',
    /status 403, Access blocked by proxy/,
    ({ failure }) => {
      expect(failure?.text.length).toBeLessThan(2000);
    },
  ],
];

const redirects: readonly Row[] = [
  [
    '18',
    'a redirect loop',
    { faults: [onLarge({ fault: 'redirect', to: '{path}' })] },
    'REDIRECT_REFUSED',
    /redirects/,
    ({ requests }) => {
      expect(requests.filter(({ url }) => url.endsWith(image.large.digest)).length).toBeLessThanOrEqual(10);
    },
  ],
  [
    '18',
    'a redirect loop of a manifest',
    { faults: [{ on: reading, ...always, fault: 'redirect', to: '{path}', status: 301 }] },
    'REDIRECT_REFUSED',
    /redirects/,
    few(24),
  ],
  [
    '18',
    'a redirect loop over another origin',
    {
      faults: ({ elsewhere }) => [onLarge({ fault: 'redirect', to: `${elsewhere}{path}` })],
      elsewhere: [{ on: 'get-blob', ...always, fault: 'redirect', to: '{path}' }],
    },
    'REDIRECT_REFUSED',
    /redirects/,
    few(24),
  ],
  [
    '19',
    'signed addresses that have always expired',
    {
      faults: ({ elsewhere }) => [onLarge({ fault: 'redirect', to: `${elsewhere}{path}?sig=1` })],
      elsewhere: [status('get-blob', 403, always)],
    },
    'DENIED',
    /403/,
    few(12),
  ],
  [
    'S',
    'a redirect to a file',
    { faults: [onLarge({ fault: 'redirect', to: 'file:///etc/passwd' })] },
    'REDIRECT_REFUSED',
  ],
];

const identities: readonly Row[] = [
  [
    'S',
    'the token server is in another domain',
    { faults: [challenge('https://tokens.evil.example/token')] },
    'REALM_REFUSED',
    /--trust-realm tokens\.evil\.example/,
    noToken,
  ],
  [
    'S',
    'the token server is on a private address',
    { faults: [challenge('http://192.168.7.7/token')] },
    'REALM_REFUSED',
    /./,
    noToken,
  ],
  [
    'S',
    'the token server is the metadata service of a cloud',
    { faults: [challenge('http://169.254.169.254/latest/token')] },
    'REALM_REFUSED',
    /./,
    noToken,
  ],
  ['S', 'the token server is no address', { faults: [challenge('file:///etc/passwd')] }, 'BAD_RESPONSE', /./, noToken],
  [
    'S',
    'the token server redirects to another origin',
    { tokens: [{ on: 'token', ...always, fault: 'redirect', to: 'http://127.0.0.1:9/token' }] },
    'REDIRECT_REFUSED',
  ],
  [
    'S',
    'a token of 20 MiB',
    { tokens: [status('token', 200, { ...always, body: '{"token":"', filler: 20 * 1024 * 1024 })] },
    'TOO_LARGE',
  ],
  [
    'S',
    'a token with a line break',
    { tokens: [status('token', 200, { ...always, body: '{"token":"a\\r\\nx-evil: 1"}' })] },
    'BAD_RESPONSE',
  ],
  ['+', 'no token in the answer', { tokens: [status('token', 200, { ...always, body: '{}' })] }, 'BAD_RESPONSE'],
  ['+', 'a wrong password', { tokenServer: { users: { me: 'another' } } }, 'UNAUTHORIZED', /slipway login/],
  ['27', 'no token is ever good enough', { faults: ({ realm }) => [challenge(realm)] }, 'UNAUTHORIZED', /./, few(8)],
  [
    '+',
    '401 without a challenge for ever',
    { faults: [status([], 401, always)], auth: 'none' },
    'UNAUTHORIZED',
    /./,
    few(8),
  ],
  ['28', 'the token server answers 503 for ever', { tokens: [status('token', 503, always)] }, 'UNAVAILABLE', /token/],
  [
    '28',
    'the token server hangs for ever',
    {
      session: { attempts: 2, stallTimeout: 200, headersTimeout: 200 },
      tokens: [{ on: 'token', ...always, fault: 'stall' }],
    },
    'TIMEOUT',
  ],
];

describe.each([
  ['of contents', contents],
  ['of connections', connections],
  ['of redirects', redirects],
  ['of identities', identities],
])('a pull fails in good order on faults %s', (_, rows) => {
  it.each(complete(rows))('%s: %s', async (_row, _injected, { injection, code, words, check }) => {
    const outcome = await pull(root, injection);
    expect(outcome.failure).toMatchObject({ code });
    expect(outcome.failure?.text).toMatch(words);
    expect(outcome.wrong).not.toEqual([]);
    check(outcome);
  });
});

const uploads: readonly Row[] = [
  [
    '11',
    '429 for ever',
    { faults: [status('start-upload', 429, always)] },
    'RATE_LIMITED',
    /Wait a while, and ask for less/,
    few(40),
  ],
  ['14', '500 for everything for ever', { faults: [status([], 500, always)] }, 'UNAVAILABLE', /500/, few(24)],
  ['14', '500 for the bytes for ever', { faults: [status(sending, 500, always)] }, 'UNAVAILABLE', /500/, few(80)],
  [
    '17',
    'the answer to a start never comes',
    {
      session: { attempts: 2, stallTimeout: 200, headersTimeout: 200 },
      faults: [{ on: 'start-upload', ...always, fault: 'stall' }],
    },
    'TIMEOUT',
  ],
  [
    '32',
    'no byte is ever taken',
    {
      session: { attempts: 2, stallTimeout: 200, headersTimeout: 200 },
      faults: [{ on: sending, ...always, fault: 'stall' }],
    },
    'TIMEOUT',
  ],
  ['32', 'every session is lost', { faults: [{ on: sending, ...always, fault: 'lose-session' }] }, 'UPLOAD_LOST'],
  ['32', '413 for ever', { faults: [status(sending, 413, always)] }, 'TOO_LARGE', /413/],
  ['30', 'every connection breaks at once', { faults: [{ on: sending, ...always, fault: 'drop' }] }, 'NETWORK'],
  [
    '18',
    'a redirect loop',
    { faults: [{ on: 'start-upload', ...always, fault: 'redirect', to: '{path}' }] },
    'REDIRECT_REFUSED',
  ],
  [
    '19',
    'a redirect that would turn a PUT into a GET',
    {
      faults: ({ elsewhere }) => [
        { on: 'put-manifest', ...always, fault: 'redirect', to: `${elsewhere}{path}`, status: 302 },
      ],
    },
    'REDIRECT_REFUSED',
  ],
  [
    'S',
    'the Location of an upload is no web address',
    { faults: [{ on: 'start-upload', ...always, fault: 'headers', set: { location: 'file:///etc/passwd' } }] },
    'BAD_RESPONSE',
  ],
  [
    '+',
    'no Location at all',
    { faults: [{ on: 'start-upload', ...always, fault: 'headers', remove: ['location'] }] },
    'BAD_RESPONSE',
  ],
  [
    '+',
    'the repository does not exist',
    {
      faults: [
        status('start-upload', 404, {
          ...always,
          body: '{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name \'a/b\' does not exist in the registry with id \'123456789012\'"}]}',
        }),
      ],
    },
    'NOT_FOUND',
    /123456789012/,
  ],
  [
    '+',
    'the bytes are refused',
    {
      faults: [
        status('put-blob', 400, {
          ...always,
          body: '{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}',
        }),
      ],
    },
    'DIGEST_MISMATCH',
  ],
  [
    '+',
    'the manifest is refused',
    {
      faults: [
        status('put-manifest', 400, {
          ...always,
          body: '{"errors":[{"code":"MANIFEST_INVALID","message":"no thanks"}]}',
        }),
      ],
    },
    'REJECTED',
    /MANIFEST_INVALID, no thanks/,
  ],
  [
    '+',
    'no right to push',
    {
      faults: [
        status('start-upload', 403, {
          ...always,
          body: '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}',
        }),
      ],
    },
    'DENIED',
    /requested access/,
  ],
  [
    '31',
    '401 for the bytes for ever',
    {
      faults: ({ realm }) => [
        status(sending, 401, {
          ...always,
          headers: { 'www-authenticate': `Bearer realm="${realm}",service="registry.test"` },
        }),
      ],
    },
    'UNAUTHORIZED',
  ],
  [
    '31',
    'the user may only pull',
    { tokenServer: { users: {} }, options: { credential: 'anonymous' } },
    'UNAUTHORIZED',
    /slipway login/,
  ],
];

describe('a push fails in good order', () => {
  it.each(complete(uploads))('%s: %s', async (_row, _injected, { injection, code, words, check }) => {
    const outcome = await push(injection);
    expect(outcome.failure).toMatchObject({ code });
    expect(outcome.failure?.text).toMatch(words);
    expect(outcome.wrong).not.toEqual([]);
    check(outcome);
  });
});
