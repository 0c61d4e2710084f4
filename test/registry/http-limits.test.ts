import { once } from 'node:events';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { describe as describeContent, mediaTypes } from '../../src/oci/index.ts';
import { openRepository, type RegistrySession } from '../../src/registry/index.ts';
import { backoff, retryPolicy } from '../../src/registry/http/backoff.ts';
import type { Clock } from '../../src/registry/http/clock.ts';
import type { Dispatch, HttpResponse } from '../../src/registry/http/dispatch.ts';
import { paced, RateLimit } from '../../src/registry/http/rate-limit.ts';
import { HostGate, retry } from '../../src/registry/http/retry.ts';
import { requestSettings } from '../../src/ui/registry-flags/requests.ts';
import { embeddedRegistry, quickClock, quickSession } from './embedded.ts';

const sessions: RegistrySession[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});
const open = (options: Parameters<typeof quickSession>[0]): RegistrySession => {
  const session = quickSession(options);
  sessions.push(session);
  return session;
};

describe('a policy', () => {
  const waits: readonly (readonly [string, Parameters<typeof retryPolicy>[0], readonly number[]])[] = [
    ['doubles its delay', {}, [125, 250, 500, 1000]],
    ['begins with the delay given', { retryDelay: 1000 }, [500, 1000, 2000, 4000]],
    ['ends with the longest delay given', { retryMaxDelay: 600 }, [125, 250, 300, 300]],
    ['may wait for nothing', { retryDelay: 0 }, [0, 0, 0, 0]],
  ];
  it.each(waits)('%s', (_, given, expected) => {
    const policy = retryPolicy(given);
    expect([1, 2, 3, 4].map((attempt) => backoff(attempt, quickClock(), policy))).toEqual(expected);
  });

  it('says how long a registry may make us wait', async () => {
    const session = open({ maxRetryAfter: 1000, attempts: 3 });
    const server = await embeddedRegistry({
      faults: {
        filter: () => (_, response) => void response.writeHead(429, { 'retry-after': '2' }).end(),
        attach: () => {},
        release: () => {},
      },
    });
    await using _server = server;
    const began = session.clock.now();
    const target = openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' });
    await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(session.clock.now() - began).toBe(0);
  });
});

describe('a host that only fails', () => {
  const failing = (clock: Clock): { readonly dispatch: Dispatch; readonly sent: () => number; heal: () => void } => {
    let [sent, status] = [0, 500];
    const dispatch: Dispatch = async ({ url }) => {
      sent += 1;
      await clock.sleep(1);
      return { status, url, headers: {}, body: Readable.from([]) } satisfies HttpResponse;
    };
    return { dispatch, sent: () => sent, heal: () => (status = 200) };
  };
  const get = { method: 'GET', url: new URL('https://r.example.com/v2/') } as const;

  it('is asked once for each thing after two requests were given up, and often again when it is well', async () => {
    const clock = quickClock();
    const host = failing(clock);
    const send = retry({ gate: new HostGate(clock), clock })(host.dispatch);
    const counts: number[] = [];
    for (let request = 0; request < 5; request += 1) {
      const before = host.sent();
      await send(get);
      counts.push(host.sent() - before);
      await clock.sleep(1);
    }
    expect(counts).toEqual([6, 6, 1, 1, 1]);
    host.heal();
    expect(await send(get)).toMatchObject({ status: 200 });
  });

  it('is not given up for requests that fail at the same time', async () => {
    const clock = quickClock();
    const gate = new HostGate(clock);
    for (let request = 0; request < 50; request += 1) gate.note('r', { failed: true, begun: clock.now() });
    expect(gate.isHopeless('r')).toBe(false);
  });
});

describe('a rate', () => {
  it('is kept by all who take from it together', async () => {
    const slept: number[] = [];
    const clock = quickClock(slept);
    const limit = new RateLimit(100_000, clock);
    const began = clock.now();
    const streams = [1, 2].map(() => paced(Readable.from([Buffer.alloc(250_000)]), limit));
    for (const stream of streams) stream.resume();
    await Promise.all(streams.map((stream) => once(stream, 'end')));
    // 500 kB at 100 kB/s, but for the last piece, which is paid for by whoever comes next
    expect(clock.now() - began).toBeGreaterThanOrEqual(4700);
    expect(clock.now() - began).toBeLessThanOrEqual(10_000);
  });

  it('bounds a pull and a push', async () => {
    await using server = await embeddedRegistry();
    const slept: number[] = [];
    const session = open({ clock: quickClock(slept), limitRate: 1_000_000 });
    const target = openRepository(`${server.host}/a/b`, { session, credential: 'anonymous', access: 'push' });
    const content = Buffer.alloc(3_000_000, 'x');
    const descriptor = describeContent(mediaTypes.ociLayer, content);
    const began = session.clock.now();
    await target.push(descriptor, content);
    const pushed = session.clock.now() - began;
    expect(pushed).toBeGreaterThanOrEqual(2900);
    const chunks: Buffer[] = [];
    for await (const chunk of (await target.fetch(descriptor)) as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    expect(session.clock.now() - began - pushed).toBeGreaterThanOrEqual(2900);
  });

  it('lets go of its source when nobody reads', async () => {
    const source = new Readable({ read() {} });
    const stream = paced(source, new RateLimit(1000));
    stream.destroy();
    await once(source, 'close');
    expect(source.destroyed).toBe(true);
  });

  it('passes on that its source broke', async () => {
    const source = Readable.from(
      (function* () {
        yield Buffer.from('x');
        throw new Error('it broke');
      })(),
      { objectMode: false },
    );
    await expect(paced(source, new RateLimit(1000, quickClock())).toArray()).rejects.toThrow('it broke');
  });
});

describe('a time for all', () => {
  it('ends what is under way, and is not tried again', async () => {
    const seen: string[] = [];
    const server = await embeddedRegistry({
      faults: {
        filter:
          () =>
          ({ url }) =>
            void seen.push(url ?? ''),
        attach: () => {},
        release: () => {},
      },
    });
    const session = open({ timeout: 100 });
    const target = openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' });
    await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'DEADLINE' });
    await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'DEADLINE' });
    expect(seen).toHaveLength(1);
    await session.close();
    await server.close();
  });
});

describe('the flags of requests', () => {
  it('become settings', () => {
    expect(
      requestSettings({
        retry: 2,
        'retry-delay': '1s',
        'retry-max-delay': '1m',
        'max-retry-after': '10m',
        'connect-timeout': '3s',
        'headers-timeout': '20s',
        'stall-timeout': '5s',
        'limit-rate': '2m',
        'connections-per-host': 3,
      }),
    ).toEqual({
      attempts: 3,
      retryDelay: 1000,
      retryMaxDelay: 60_000,
      maxRetryAfter: 600_000,
      connectTimeout: 3000,
      headersTimeout: 20_000,
      stallTimeout: 5000,
      limitRate: 2 * 1024 * 1024,
      connections: 3,
    });
  });

  it('refuse a rate at which nothing moves', () => {
    expect(() => requestSettings({ 'limit-rate': '0' })).toThrow('--limit-rate 0');
  });
});
