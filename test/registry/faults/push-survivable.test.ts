import { describe, expect, it } from '@jest/globals';
import { complete, MiB, push, type Row, type Rule } from './rig.ts';
import { revoke, sending, status } from './rules.ts';

/** Of the large layer: while its bytes are on their way. */
const midway = (rule: Rule): Rule => ({ on: sending, minSize: MiB, at: 'body', after: 3 * MiB, ...rule });
const drop = (more: Rule = {}): Rule => midway({ fault: 'drop', ...more });

const transfers: readonly Row[] = [
  [
    '30',
    'the connection breaks once at 3 of 8 MiB',
    { faults: [drop()] },
    (outcome) => {
      expect(outcome.requests.some(({ headers }) => headers['content-range']?.startsWith(`${3 * MiB}-`))).toBe(true);
    },
  ],
  ['30', 'the connection ends in good order at 3 of 8 MiB', { faults: [drop({ how: 'end' })] }],
  [
    '30',
    'the connection breaks three times',
    { faults: [drop({ after: 2 * MiB }), drop({ after: 2 * MiB }), drop({ after: 2 * MiB })] },
  ],
  ['30', 'the connection breaks ten times, each after 256 KiB', { faults: [drop({ after: 256 * 1024, times: 10 })] }],
  [
    '30',
    'the connection breaks, and the session is gone',
    { faults: [drop(), { on: 'upload-status', fault: 'lose-session' }] },
  ],
  [
    '30',
    'the connection breaks, and the status cannot be had for a moment',
    { faults: [drop(), status('upload-status', 503, { times: 2 })] },
  ],
  [
    '30',
    'the connection breaks, and the registry has no status',
    { faults: [drop(), status('upload-status', 405, { times: 'forever' })] },
  ],
  ['30', 'the answer to the bytes is lost', { faults: [{ on: sending, fault: 'drop', at: 'done' }] }],
  ['30', 'the answer to the commit is lost', { faults: [{ on: 'put-blob', fault: 'drop', at: 'done' }] }],
  [
    '30',
    'the answer to each commit is lost once',
    { faults: [{ on: 'put-blob', times: 3, fault: 'drop', at: 'done' }] },
  ],
  ['32', 'the upload stands still at 3 MiB', { faults: [midway({ fault: 'stall' })] }],
  ['32', 'the upload stands still at once', { faults: [{ on: sending, fault: 'stall' }] }],
  ['32', 'the answer to the bytes never comes', { faults: [{ on: sending, fault: 'stall', at: 'done' }] }],
  ['32', 'the session is unknown at the first bytes', { faults: [{ on: sending, fault: 'lose-session' }] }],
  [
    '32',
    'ECR: 416 where the next byte is another',
    {
      faults: [
        drop(),
        status('upload-status', 404, { body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }),
        status(sending, 416, {
          body: '{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"First byte of the layer part is 0 instead of 3145728"}]}',
        }),
      ],
    },
  ],
  [
    '32',
    '413 of a proxy for large requests',
    {
      proxy: [
        status(sending, 413, {
          minSize: 8 * MiB,
          times: 'forever',
          body: '<html><h1>413 Request Entity Too Large</h1></html>',
        }),
      ],
    },
  ],
  ['32', '500 at the commit, once', { faults: [status('put-blob', 500)] }],
  ['32', '503 early, while the bytes are on their way', { faults: [midway({ fault: 'status', status: 503 })] }],
  [
    '32',
    '503 early, and the connection is closed',
    { faults: [midway({ fault: 'status', status: 503, headers: { connection: 'close' } })] },
  ],
  ['32', '503 before the first byte is read', { faults: [status(sending, 503)] }],
  ['29', 'the first connection is closed', { faults: [{ on: 'connection', fault: 'drop' }] }],
  [
    '29',
    'the connection of each kind of request is closed once',
    {
      faults: ['head-manifest', 'head-blob', 'start-upload', 'put-blob', 'put-manifest'].map((on) => ({
        on,
        fault: 'drop',
      })),
    },
  ],
];

const statuses: readonly Row[] = [
  [
    '9',
    '429 with Retry-After: 4 for a start',
    { faults: [status('start-upload', 429, { headers: { 'retry-after': '4' } })] },
    ({ slept }) => {
      expect(Math.max(...slept)).toBeGreaterThanOrEqual(4000);
    },
  ],
  [
    '9',
    '429 with Retry-After as a date for the bytes',
    { faults: [status(sending, 429, { headers: { 'retry-after': 'Tue, 01 Jan 2030 00:00:04 GMT' } })] },
    ({ slept }) => {
      expect(Math.max(...slept)).toBeGreaterThanOrEqual(3000);
    },
  ],
  ['10', '429 three times for the manifest', { faults: [status('put-manifest', 429, { times: 3 })] }],
  ['12', '500 twice for a start', { faults: [status('start-upload', 500, { times: 2 })] }],
  ['13', '503 once for a start', { faults: [status('start-upload', 503)] }],
  ['13', '503 twice for the bytes', { faults: [status(sending, 503, { times: 2 })] }],
  ['15', '502 once for the manifest', { faults: [status('put-manifest', 502)] }],
  ['17', 'the headers of a start never come', { faults: [{ on: 'start-upload', fault: 'stall' }] }],
  ['17', 'the headers of the manifest never come', { faults: [{ on: 'put-manifest', fault: 'stall', at: 'done' }] }],
  [
    '19',
    'the upload goes on at another origin',
    {
      faults: ({ elsewhere }) => [
        { on: 'start-upload', times: 'forever', fault: 'redirect', to: `${elsewhere}{path}` },
      ],
    },
  ],
  [
    '23',
    'the answer to the manifest names another digest',
    {
      faults: [
        {
          on: 'put-manifest',
          times: 'forever',
          fault: 'headers',
          set: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
        },
      ],
    },
  ],
  [
    '23',
    'the answer to a blob names another digest',
    {
      faults: [
        {
          on: 'put-blob',
          times: 'forever',
          fault: 'headers',
          set: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
        },
      ],
    },
  ],
  ['25', 'HEAD is not allowed', { faults: [status(['head-blob', 'head-manifest'], 405, { times: 'forever' })] }],
  [
    '+',
    'HEAD of blobs answers 403 with no body',
    { faults: [status(['head-blob', 'get-blob'], 403, { times: 'forever' })] },
  ],
  ['+', 'HEAD of a blob answers 500 once', { faults: [status('head-blob', 500)] }],
  [
    '+',
    'the Location of an upload is on another port',
    {
      faults: ({ elsewhere }) => [{ on: 'start-upload', path: '*', fault: 'move-session', to: elsewhere }],
    },
    ({ elsewhere }) => {
      expect(elsewhere.length).toBeGreaterThan(0);
    },
  ],
];

const credentials: readonly Row[] = [
  ['27', 'the token dies before the first start', { faults: revoke('start-upload') }],
  [
    '31',
    '401 while the bytes are on their way',
    {
      faults: ({ realm }) => [
        midway({
          fault: 'status',
          status: 401,
          headers: { 'www-authenticate': `Bearer realm="${realm}",service="registry.test",error="invalid_token"` },
        }),
      ],
    },
  ],
  [
    '31',
    '401 while the bytes are on their way, and the connection is closed',
    {
      faults: ({ realm }) => [
        midway({
          fault: 'status',
          status: 401,
          headers: {
            connection: 'close',
            'www-authenticate': `Bearer realm="${realm}",service="registry.test",error="invalid_token"`,
          },
        }),
      ],
    },
  ],
  ['31', '401 before the first byte is read', { faults: revoke(sending) }],
  ['31', '401 at a commit', { faults: revoke('put-blob') }],
  ['31', '401 at each commit', { faults: revoke('put-blob', { times: 3 }) }],
  ['31', '401 for the manifest', { faults: revoke('put-manifest') }],
  ['31', '401 for the manifest, without a challenge', { faults: [status('put-manifest', 401)] }],
  [
    '31',
    'the connection breaks, and 401 for its status',
    { faults: (places) => [drop(), ...revoke('upload-status')(places)] },
  ],
  ['28', 'the token server answers 503 once', { tokens: [status('token', 503)] }],
  ['28', 'the token server answers 429 once', { tokens: [status('token', 429, { headers: { 'retry-after': '2' } })] }],
  ['+', '401 with no challenge', { faults: [status(['head-manifest', 'head-blob'], 401)] }],
  [
    '+',
    'two challenges in two headers',
    {
      auth: 'basic',
      faults: [
        status(['head-manifest', 'head-blob'], 401, {
          headers: { 'www-authenticate': ['Negotiate', 'Basic realm="x"'] },
        }),
      ],
    },
  ],
  ['+', 'Basic is asked for at every request', { auth: 'basic' }],
  ['+', 'the token server only takes POST', { tokenServer: { speaks: ['POST'] } }],
];

describe.each([
  ['of transfers', transfers],
  ['of statuses', statuses],
  ['of credentials', credentials],
])('a push survives faults %s', (_, rows) => {
  it.each(complete(rows))('%s: %s', async (_row, _injected, injection, check) => {
    const outcome = await push(injection);
    expect(outcome.failure).toBeUndefined();
    expect(outcome.wrong).toEqual([]);
    check(outcome);
  });
});
