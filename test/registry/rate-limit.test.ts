import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openMemoryStorage, openProfile, openRepository, startRegistry } from '../../src/registry/index.ts';
import { rateLimitOf } from '../../src/registry/client/rate-limit.ts';
import { errorFromResponse } from '../../src/registry/http/error-response.ts';
import { pushImage } from '../contracts/target-contract.ts';
import { embeddedRegistry, quickSession } from './embedded.ts';

const session = quickSession();
afterAll(() => session.close());

const answer = (headers: Record<string, string>, status = 200, body = '') => ({
  status,
  headers,
  body: Readable.from([Buffer.from(body)]),
  url: new URL('https://registry-1.docker.io/v2/'),
});

describe('what a registry tells of its limits', () => {
  it.each([
    [
      'Docker Hub',
      {
        'ratelimit-limit': '100;w=21600',
        'ratelimit-remaining': '76;w=21600',
        'docker-ratelimit-source': '203.0.113.7',
      },
      { limit: 100, remaining: 76, windowSeconds: 21600, source: '203.0.113.7' },
    ],
    [
      'another span',
      { 'ratelimit-limit': '10;w=3600', 'ratelimit-remaining': '0; w=3600' },
      { limit: 10, remaining: 0, windowSeconds: 3600 },
    ],
    ['the draft of the IETF', { 'ratelimit-limit': '5', 'ratelimit-remaining': '4' }, { limit: 5, remaining: 4 }],
    ['only what is left', { 'ratelimit-remaining': '4' }, { remaining: 4 }],
    [
      'a source that would steer a terminal',
      { 'ratelimit-remaining': '4', 'docker-ratelimit-source': 'x\u001b[2J' },
      { remaining: 4 },
    ],
    ['nonsense', { 'ratelimit-remaining': 'many' }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_title, headers, told) => {
    const found = rateLimitOf(answer(headers as Record<string, string>));
    expect(found === undefined ? undefined : JSON.parse(JSON.stringify(found))).toEqual(told);
  });

  it('is asked for without a pull, with a login and when nothing is left', async () => {
    const storage = openMemoryStorage();
    const { rules, layers } = openProfile('hub', { storage, hub: { pullLimit: 1 } });
    await using server = await startRegistry({ storage, ...rules, layers });
    const open = (user?: string) =>
      openRepository(`${server.host}/ann/x`, {
        session,
        credential: user === undefined ? 'anonymous' : { kind: 'basic', username: user, password: 'secret' },
      });
    const image = await pushImage(open('ann'), 'limits');
    await open('ann').tag(image.descriptor, 'v1');
    for (let round = 0; round < 3; round++)
      expect(await open().rateLimit('v1')).toMatchObject({ limit: 1, remaining: 1 });
    expect(await open('ben').rateLimit('v1')).toMatchObject({ limit: 2, remaining: 2, source: 'ben' });
    await open().resolve('v1', { reads: true });
    expect(await open().rateLimit('v1')).toMatchObject({ limit: 1, remaining: 0, windowSeconds: 21600 });
    await expect(open().rateLimit('v2')).resolves.toMatchObject({ remaining: 0 });
  });

  it('is nothing where there is no limit, and an error where the image is not there', async () => {
    await using server = await embeddedRegistry();
    const target = openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' });
    const image = await pushImage(target, 'none');
    expect(await target.rateLimit(image.descriptor.digest)).toBeUndefined();
    await expect(target.rateLimit('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('429', () => {
  it.each([
    [
      'the limit of pulls',
      { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' },
      '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your unauthenticated pull rate limit."}]}',
      /allows no more pulls for now/,
      /log in for a higher limit/,
    ],
    [
      'the limit of pulls without headers',
      {},
      '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}',
      /allows no more pulls for now/,
      /log in for a higher limit/,
    ],
    [
      'the limit of requests',
      {},
      'Too Many Requests',
      /allows no more requests for now \(status 429, Too Many Requests\)/,
      /everybody behind this address counts/,
    ],
  ])('tells %s', async (_title, headers, body, message, hint) => {
    const error = await errorFromResponse(answer(headers as Record<string, string>, 429, body), {
      action: 'pull x',
      host: 'docker.io',
    });
    expect([error.code, error.message, error.hint]).toEqual([
      'RATE_LIMITED',
      expect.stringMatching(message),
      expect.stringMatching(hint),
    ]);
  });
});
