import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDiskStorage, openRepository, startRegistry } from '../../../src/registry/index.ts';
import { complete, dropRoot, freshRoot, image, MiB, type Outcome, pull, putImage, type Row, type Rule } from './rig.ts';
import { revoke, status } from './rules.ts';

let root: string;
beforeAll(async () => {
  root = await freshRoot();
  await using server = await startRegistry({ storage: await openDiskStorage(root) });
  await putImage(openRepository(`${server.host}/a/b`, { credential: 'anonymous', access: 'push' }));
});
afterAll(() => dropRoot(root));

const largePath = `*/blobs/${image.large.digest}`;
/** A fault on downloads of the large layer. */
const onLarge = (rule: Rule): Rule => ({ on: 'get-blob', path: largePath, ...rule });
const dropAfter = (after: number, more: Rule = {}): Rule => onLarge({ fault: 'drop', at: 'answer', after, ...more });

const largeRequests = ({ requests }: Outcome): number =>
  requests.filter(({ method, url }) => method === 'GET' && url.endsWith(image.large.digest)).length;

const transfers: readonly Row[] = [
  [
    '1',
    'the connection breaks once at 3 of 8 MiB',
    { faults: [dropAfter(3 * MiB)] },
    (outcome) => {
      expect(largeRequests(outcome)).toBe(2);
      // a reset may cost what was on its way
      const ranges = outcome.requests.flatMap(({ headers }) => /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? []);
      expect(Number(ranges[0])).toBeGreaterThan(MiB);
    },
  ],
  ['1', 'the connection ends in good order at 3 of 8 MiB', { faults: [dropAfter(3 * MiB, { how: 'end' })] }],
  ['2', 'it breaks every 1.5 MiB', { faults: [dropAfter(1.5 * MiB, { times: 'forever' })] }],
  [
    '3',
    'it breaks every 256 KiB',
    { faults: [dropAfter(256 * 1024, { times: 'forever' })] },
    (outcome) => {
      expect(largeRequests(outcome)).toBeGreaterThanOrEqual(32);
    },
  ],
  [
    '4',
    'it breaks, and Range is ignored afterwards',
    { faults: [dropAfter(3 * MiB), onLarge({ fault: 'ignore-range' })] },
  ],
  [
    '5',
    '206 with the wrong Content-Range',
    { faults: [dropAfter(3 * MiB), onLarge({ fault: 'wrong-range', shift: 1000 })] },
  ],
  [
    '5',
    '206 whose Content-Range lies',
    { faults: [dropAfter(3 * MiB), onLarge({ fault: 'headers', set: { 'content-range': `bytes 0-9/${8 * MiB}` } })] },
  ],
  [
    '6',
    'a byte is wrong, once',
    { faults: [onLarge({ fault: 'corrupt', offset: 5 * MiB })] },
    (outcome) => {
      expect(largeRequests(outcome)).toBe(2);
    },
  ],
  [
    '6',
    'a byte is wrong in the part after a break',
    { faults: [dropAfter(3 * MiB), onLarge({ fault: 'corrupt', offset: 5 })] },
  ],
  ['7', 'the body is too short, once', { faults: [onLarge({ fault: 'shorten', by: 10 })] }],
  [
    '7',
    'a body in chunks is too short, once',
    {
      faults: [onLarge({ fault: 'shorten', by: 10 })],
      proxy: [onLarge({ fault: 'headers', remove: ['content-length'] })],
    },
  ],
  ['8', 'the body is too long, once', { faults: [onLarge({ fault: 'lengthen', by: 10 })] }],
  ['16', 'nothing comes after 1 MiB', { faults: [onLarge({ fault: 'stall', at: 'answer', after: MiB })] }],
  [
    '16',
    'nothing comes after 1 MiB, three times',
    { faults: [onLarge({ fault: 'stall', at: 'answer', after: MiB, times: 3 })] },
  ],
  ['17', 'the headers of a blob never come', { faults: [onLarge({ fault: 'stall' })] }],
  [
    '17',
    'the headers of a manifest never come',
    { faults: [{ on: ['head-manifest', 'get-manifest'], fault: 'stall' }] },
  ],
  ['17', 'the headers come and no byte of the body', { faults: [onLarge({ fault: 'stall', at: 'answer' })] }],
  ['24', 'a proxy compresses by gzip', { faults: [onLarge({ fault: 'encode' })] }],
  ['24', 'a proxy compresses by zstd', { faults: [onLarge({ fault: 'encode', encoding: 'zstd' })] }],
  [
    '24',
    'a proxy compresses the manifest',
    { faults: [{ on: ['get-manifest', 'head-manifest'], times: 'forever', fault: 'encode' }] },
  ],
  [
    '24',
    'a proxy compresses, and the connection breaks',
    { faults: [onLarge({ fault: 'encode', times: 2 })], proxy: [dropAfter(3 * MiB)] },
  ],
  [
    '24',
    'a label says gzip of a layer that is gzip',
    {
      faults: [
        {
          on: 'get-blob',
          path: `*${image.little.digest}`,
          times: 'forever',
          fault: 'headers',
          set: { 'content-encoding': 'gzip' },
          remove: ['content-length'],
        },
      ],
    },
  ],
  [
    '24',
    'a label says gzip, the bytes are plain',
    { faults: [onLarge({ fault: 'headers', set: { 'content-encoding': 'gzip' } })] },
  ],
  [
    '24',
    'a label says gzip without a length, the bytes are plain',
    { faults: [onLarge({ fault: 'headers', set: { 'content-encoding': 'gzip' }, remove: ['content-length'] })] },
  ],
  ['29', 'the first connection is closed', { faults: [{ on: 'connection', fault: 'drop' }] }],
  [
    '29',
    'the first connection of each blob is closed',
    {
      faults: [
        onLarge({ fault: 'drop' }),
        { on: 'get-blob', path: `*${image.little.digest}`, fault: 'drop' },
        { on: 'get-blob', path: `*${image.config.digest}`, fault: 'drop' },
      ],
    },
  ],
  ['29', 'the answer is lost', { faults: [onLarge({ fault: 'drop', at: 'done' })] }],
];

const statuses: readonly Row[] = [
  [
    '9',
    '429 with Retry-After: 4',
    { faults: [status('get-blob', 429, { headers: { 'retry-after': '4' } })] },
    ({ slept }) => {
      expect(Math.max(...slept)).toBeGreaterThanOrEqual(4000);
    },
  ],
  [
    '9',
    '429 with Retry-After as a date',
    { faults: [status('get-blob', 429, { headers: { 'retry-after': 'Tue, 01 Jan 2030 00:00:04 GMT' } })] },
    ({ slept }) => {
      expect(Math.max(...slept)).toBeGreaterThanOrEqual(4000);
    },
  ],
  [
    '9',
    '503 with Retry-After: 240',
    { faults: [status('get-manifest', 503, { headers: { 'retry-after': '240' } })] },
    ({ slept }) => {
      expect(Math.max(...slept)).toBeGreaterThanOrEqual(240_000);
    },
  ],
  ['10', '429 three times, with nothing said', { faults: [status('get-blob', 429, { times: 3 })] }],
  ['12', '500 twice', { faults: [status('get-blob', 500, { times: 2 })] }],
  ['13', '503 twice', { faults: [status('get-blob', 503, { times: 2 })] }],
  [
    '13',
    '408, 425, 499, 520 and 504 one after the other',
    { faults: [408, 425, 499, 520, 504].map((code) => onLarge({ fault: 'status', status: code })) },
  ],
  ['15', '502 for the manifest, once', { faults: [status(['get-manifest', 'head-manifest'], 502)] }],
  [
    '19',
    'blobs are at another origin',
    { faults: ({ elsewhere }) => [onLarge({ fault: 'redirect', to: `${elsewhere}{path}` })] },
    (outcome) => {
      expect(outcome.elsewhere).toHaveLength(1);
    },
  ],
  [
    '19',
    'blobs are at another origin, whose signed address has expired once',
    {
      faults: ({ elsewhere }) => [
        onLarge({ times: 'forever', fault: 'redirect', to: `${elsewhere}{path}?X-Amz-Signature=s1` }),
      ],
      elsewhere: [
        status('get-blob', 403, {
          body: '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
        }),
      ],
    },
    (outcome) => {
      expect(largeRequests(outcome)).toBe(2);
    },
  ],
  [
    '19',
    'the signed address expires while the transfer goes on',
    {
      faults: ({ elsewhere }) => [
        onLarge({ times: 'forever', fault: 'redirect', to: `${elsewhere}{path}?X-Amz-Signature=s1` }),
      ],
      elsewhere: [{ on: 'get-blob', fault: 'drop', at: 'answer', after: MiB }, status('get-blob', 403)],
    },
  ],
  [
    '19',
    'the other origin answers 503 once',
    {
      faults: ({ elsewhere }) => [
        onLarge({ times: 'forever', fault: 'redirect', to: `${elsewhere}{path}`, status: 302 }),
      ],
      elsewhere: [status('get-blob', 503)],
    },
  ],
  [
    '19',
    'the other origin breaks off once',
    {
      faults: ({ elsewhere }) => [onLarge({ times: 'forever', fault: 'redirect', to: `${elsewhere}{path}` })],
      elsewhere: [{ on: 'get-blob', fault: 'drop', at: 'answer', after: MiB }],
    },
  ],
];

const documents: readonly Row[] = [
  ['20', 'the manifest is cut off, once', { faults: [{ on: 'get-manifest', fault: 'shorten', by: 20 }] }],
  ['20', 'the manifest breaks off, once', { faults: [{ on: 'get-manifest', fault: 'drop', at: 'answer', after: 20 }] }],
  [
    '23',
    'Docker-Content-Digest lies about a tag',
    {
      faults: [
        {
          on: ['get-manifest', 'head-manifest'],
          path: '*/v1',
          times: 'forever',
          fault: 'headers',
          set: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
        },
      ],
    },
    ({ warnings }) => {
      expect(warnings.join()).toContain('0000');
    },
  ],
  [
    '25',
    'HEAD tells neither length nor digest',
    {
      byHead: true,
      faults: [
        {
          on: 'head-manifest',
          times: 'forever',
          fault: 'headers',
          remove: ['content-length', 'docker-content-digest'],
        },
      ],
    },
  ],
  [
    '25',
    'HEAD is not allowed',
    { byHead: true, faults: [status(['head-manifest', 'head-blob'], 405, { times: 'forever' })] },
  ],
  [
    '26',
    'the manifest comes as text/plain',
    {
      faults: [
        {
          on: ['get-manifest', 'head-manifest'],
          times: 'forever',
          fault: 'headers',
          set: { 'content-type': 'text/plain' },
        },
      ],
    },
  ],
  [
    '26',
    'the manifest comes without a type',
    {
      faults: [{ on: ['get-manifest', 'head-manifest'], times: 'forever', fault: 'headers', remove: ['content-type'] }],
    },
  ],
  [
    '+',
    'the registry sends a Warning',
    {
      faults: [
        {
          on: ['get-manifest', 'get-blob'],
          times: 'forever',
          fault: 'headers',
          set: { warning: '299 - "this goes away in March"' },
        },
      ],
    },
    ({ warnings }) => {
      expect(warnings.filter((text) => text.includes('this goes away in March'))).toHaveLength(1);
    },
  ],
];

const challenge = (headers: Rule): Rule => ({ ...status(['head-manifest', 'get-manifest'], 401), headers });

const credentials: readonly Row[] = [
  ['27', 'the token dies before a blob', { faults: revoke('get-blob') }],
  ['27', 'the token dies before the manifest', { faults: revoke('get-manifest') }],
  [
    '27',
    'the token dies while a blob comes',
    { faults: (places) => [dropAfter(MiB), ...revoke('get-blob', { path: largePath })(places)] },
  ],
  [
    '27',
    'the token says that it lives long, and dies at once',
    { faults: revoke('get-blob'), tokenServer: { expiresIn: 3600 } },
  ],
  ['28', 'the token server answers 503 once', { tokens: [status('token', 503)] }],
  ['28', 'the token server answers 429 once', { tokens: [status('token', 429, { headers: { 'retry-after': '2' } })] }],
  ['28', 'the token server breaks off once', { tokens: [{ on: 'token', fault: 'drop', at: 'done' }] }],
  ['28', 'the token server hangs once', { tokens: [{ on: 'token', fault: 'stall' }] }],
  ['+', '401 with no challenge', { faults: [status(['head-manifest', 'get-manifest'], 401)] }],
  [
    '+',
    '401 with no challenge, for Basic',
    { faults: [status(['head-manifest', 'get-manifest'], 401)], auth: 'basic' },
  ],
  [
    '+',
    'two challenges in two headers',
    { auth: 'basic', faults: [challenge({ 'www-authenticate': ['Negotiate', 'Basic realm="x"'] })] },
  ],
  [
    '+',
    'two challenges in one header',
    { auth: 'basic', faults: [challenge({ 'www-authenticate': 'Negotiate TlRMTVNT==, Basic realm="x"' })] },
  ],
  ['+', 'the token is only called access_token', { tokenServer: { member: 'access_token' } }],
  ['+', 'the token server only takes POST', { tokenServer: { speaks: ['POST'] } }],
  [
    '+',
    'the token server only takes GET, for an identity token',
    {
      tokenServer: { speaks: ['GET'], users: { me: 'x', '<token>': 'r3fr3sh' } },
      options: { credential: { kind: 'identity-token', token: 'r3fr3sh' } },
    },
  ],
];

describe.each([
  ['of transfers', transfers],
  ['of statuses', statuses],
  ['of documents', documents],
  ['of credentials', credentials],
])('a pull survives faults %s', (_, rows) => {
  it.each(complete(rows))('%s: %s', async (_row, _injected, injection, check) => {
    const outcome = await pull(root, injection);
    expect(outcome.failure).toBeUndefined();
    expect(outcome.wrong).toEqual([]);
    check(outcome);
  });
});
