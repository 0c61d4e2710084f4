import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { discard, readAll } from '../../src/registry/http/body.ts';
import type { HttpResponse } from '../../src/registry/http/dispatch.ts';

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => void jest.useRealTimers());

/** A body that gives a byte now and then, and never stands still for as long as a stall. */
function trickle(): Readable {
  const body = new Readable({ read() {} });
  const timer = setInterval(() => body.push('x'), 1000);
  return body.once('close', () => clearInterval(timer));
}

it('a body that trickles is let go of after a while', async () => {
  const body = trickle();
  const response: HttpResponse = { status: 401, headers: {}, body, url: new URL('https://r.example.com/') };
  const done = discard(response);
  await jest.advanceTimersByTimeAsync(5000);
  await done;
  expect(body.destroyed).toBe(true);
  expect(jest.getTimerCount()).toBe(0);
});

it('a document that trickles is not waited for without end', async () => {
  const body = trickle();
  const done = expect(readAll(body, 1024 * 1024)).rejects.toMatchObject({ code: 'TIMEOUT' });
  await jest.advanceTimersByTimeAsync(5 * 60_000);
  await done;
  expect(jest.getTimerCount()).toBe(0);
});
