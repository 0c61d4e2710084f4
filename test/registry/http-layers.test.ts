import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { type Dispatch, type HttpRequest, type HttpResponse } from '../../src/registry/http/dispatch.ts';
import { errorFromResponse } from '../../src/registry/http/error-response.ts';
import { redaction, type TraceEvent } from '../../src/registry/http/redaction.ts';
import { redirect } from '../../src/registry/http/redirect.ts';
import { HostGate, retry } from '../../src/registry/http/retry.ts';
import { quickClock } from './embedded.ts';

const url = new URL('https://r.example.com/v2/a/manifests/b');
const get: HttpRequest = { method: 'GET', url };

type Step = Error | readonly [number, Record<string, string>?, string?];

/** A dispatch that takes its answers from a list; the last one stays. */
function scripted(steps: readonly Step[]): { readonly dispatch: Dispatch; readonly sent: HttpRequest[] } {
  const sent: HttpRequest[] = [];
  const dispatch: Dispatch = (request) => {
    const step = steps[Math.min(sent.length, steps.length - 1)] ?? new Error('no step');
    sent.push(request);
    if (step instanceof Error) return Promise.reject(step);
    const [status, headers = {}, body = ''] = step;
    return Promise.resolve({ status, headers, url: request.url, body: Readable.from([Buffer.from(body)]) });
  };
  return { dispatch, sent };
}

const failing = (code: string): Error => Object.assign(new Error(`failed by ${code}`), { code });

describe('retry', () => {
  const cases: readonly (readonly [string, readonly Step[], { readonly status?: number; readonly tries: number }])[] = [
    ['sends once what is answered', [[200]], { status: 200, tries: 1 }],
    ['repeats after 503', [[503], [503], [200]], { status: 200, tries: 3 }],
    ['repeats after 429', [[429], [200]], { status: 200, tries: 2 }],
    ['repeats after 500', [[500], [200]], { status: 200, tries: 2 }],
    ['repeats after a broken connection', [failing('ECONNRESET'), [200]], { status: 200, tries: 2 }],
    ['repeats after a timeout', [failing('UND_ERR_HEADERS_TIMEOUT'), [200]], { status: 200, tries: 2 }],
    ['gives the sixth answer as it is', [[503]], { status: 503, tries: 6 }],
    ['gives the sixth error as it is', [failing('UND_ERR_SOCKET')], { tries: 6 }],
    ['is short where nobody listens', [failing('ECONNREFUSED')], { tries: 3 }],
    ['does not repeat 404', [[404]], { status: 404, tries: 1 }],
    ['does not repeat a bad certificate', [failing('CERT_HAS_EXPIRED')], { tries: 1 }],
    ['does not repeat an unknown name', [failing('ENOTFOUND')], { tries: 1 }],
    ['gives up where it would wait for an hour', [[429, { 'retry-after': '3600' }]], { status: 429, tries: 1 }],
  ];
  it.each(cases)('%s', async (_, steps, expected) => {
    const clock = quickClock();
    const { dispatch, sent } = scripted(steps);
    const wrapped = retry({ gate: new HostGate(clock), clock })(dispatch);
    const answer = await wrapped(get).catch(() => undefined);
    expect({ status: answer?.status, tries: sent.length }).toEqual({ status: expected.status, tries: expected.tries });
  });

  const waits: readonly (readonly [string, readonly Step[], readonly number[]])[] = [
    ['doubles', [[503], [503], [503], [200]], [125, 250, 500]],
    ['obeys Retry-After in seconds', [[429, { 'retry-after': '4' }], [200]], [4125]],
    ['obeys Retry-After as a date', [[503, { 'retry-after': 'Tue, 01 Jan 2030 00:00:07 GMT' }], [200]], [7125]],
  ];
  it.each(waits)('its wait %s', async (_, steps, expected) => {
    const slept: number[] = [];
    const clock = quickClock(slept);
    const { dispatch } = scripted(steps);
    await retry({ gate: new HostGate(clock), clock })(dispatch)(get);
    expect(slept).toEqual(expected);
  });

  it('holds back other requests to a host that asked to wait, not those to others', async () => {
    const slept: number[] = [];
    const clock = quickClock(slept);
    const gate = new HostGate(clock);
    gate.close('r.example.com', 9000);
    await gate.pass('other.example.com');
    expect(slept).toEqual([]);
    await gate.pass('r.example.com');
    expect(slept).toEqual([9125]);
  });

  it('ends with the abort', async () => {
    const controller = new AbortController();
    const { dispatch, sent } = scripted([[503]]);
    const aborting: Dispatch = async (request) => {
      controller.abort();
      return dispatch(request);
    };
    const clock = quickClock();
    const wrapped = retry({ gate: new HostGate(clock), clock })(aborting);
    await expect(wrapped({ ...get, signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(sent).toHaveLength(1);
  });
});

describe('redirect', () => {
  const to = (location: string, status = 307): Step => [status, { location }];
  const request: HttpRequest = {
    ...get,
    headers: { authorization: 'Bearer x', cookie: 'a=b', 'x-custom': 'y', range: 'bytes=1-', accept: '*/*' },
  };

  const kept: readonly (readonly [string, string, readonly string[]])[] = [
    ['to the same origin keeps all headers', '/elsewhere', ['authorization', 'cookie', 'x-custom', 'range', 'accept']],
    ['to another host keeps harmless ones', 'https://cdn.example.com/x', ['range', 'accept']],
    ['to another port keeps harmless ones', 'https://r.example.com:8443/x', ['range', 'accept']],
  ];
  it.each(kept)('%s', async (_, location, names) => {
    const { dispatch, sent } = scripted([to(location), [200]]);
    await redirect()(dispatch)(request);
    expect(Object.keys(sent[1]?.headers ?? {})).toEqual(names);
  });

  it('does not give credentials back on the way home', async () => {
    const { dispatch, sent } = scripted([to('https://cdn.example.com/x'), to('https://r.example.com/y'), [200]]);
    await redirect()(dispatch)(request);
    expect(sent[2]?.headers).not.toHaveProperty('authorization');
  });

  it('drops userinfo that a location brings', async () => {
    const { dispatch, sent } = scripted([to('https://me:pw@cdn.example.com/x'), [200]]);
    await redirect()(dispatch)(request);
    expect(sent[1]?.url.href).toBe('https://cdn.example.com/x');
  });

  const refused: readonly (readonly [string, HttpRequest, Step, number])[] = [
    ['from https to http', request, to('http://r.example.com/x'), 1],
    ['to a file', request, to('file:///etc/passwd'), 1],
    ['that never ends', request, to('/again'), 6],
    ['that turns a PUT into a GET', { ...request, method: 'PUT' }, to('/x', 302), 1],
  ];
  it.each(refused)('%s is refused', async (_, asked, step, tries) => {
    const { dispatch, sent } = scripted([step]);
    await expect(redirect()(dispatch)(asked)).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(sent).toHaveLength(tries);
  });

  it('of a token request to another origin is refused', async () => {
    const { dispatch, sent } = scripted([to('https://evil.example.net/x')]);
    const layer = redirect({ otherOrigin: 'refuse' });
    await expect(layer(dispatch)(request)).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(sent).toHaveLength(1);
  });
});

describe('redaction', () => {
  it('tells what happens without secrets', async () => {
    const events: TraceEvent[] = [];
    const { dispatch } = scripted([[200]]);
    const signed = new URL('https://r.example.com/x?sig=c4n4ry');
    await redaction({ trace: (event) => events.push(event) })(dispatch)({
      method: 'GET',
      url: signed,
      headers: { authorization: 'Bearer c4n4ry' },
    });
    expect(JSON.stringify(events)).not.toContain('c4n4ry');
    expect(events).toMatchObject([{ method: 'GET', status: 200, url: 'https://r.example.com/x?sig=***' }]);
  });

  it('makes network failures ours, without secrets', async () => {
    const cause = Object.assign(new Error('GET https://u:c4n4ry@h/?sig=c4n4ry broke'), { code: 'ECONNRESET' });
    const failure = redaction()(scripted([cause]).dispatch)(get);
    await expect(failure).rejects.toMatchObject({ code: 'NETWORK' });
    await expect(failure).rejects.not.toThrow('c4n4ry');
  });

  it('passes warnings of a registry on, each once', async () => {
    const warnings: string[] = [];
    const { dispatch } = scripted([[200, { warning: '299 - "old \\"api\\"\u0007"' }]]);
    const wrapped = redaction({ warn: (message) => warnings.push(message) })(dispatch);
    await wrapped(get);
    await wrapped(get);
    expect(warnings).toEqual(['r.example.com: old "api" ']);
  });
});

describe('an answer that is no success', () => {
  const answer = (status: number, body: string, headers: Record<string, string> = {}): HttpResponse => ({
    status,
    headers,
    url,
    body: Readable.from([Buffer.from(body)], { objectMode: false }),
  });
  const errors = (code: string, message: string): string =>
    JSON.stringify({ errors: [{ code, message, detail: null }] });

  const cases: readonly (readonly [string, HttpResponse, { readonly code: string; readonly text: string }])[] = [
    [
      'says what the registry says',
      answer(404, errors('NAME_UNKNOWN', 'no such repo')),
      { code: 'NOT_FOUND', text: 'no such repo' },
    ],
    ['asks for a login', answer(401, errors('UNAUTHORIZED', 'x')), { code: 'UNAUTHORIZED', text: 'status 401' }],
    ['is told without a body', answer(403, ''), { code: 'DENIED', text: 'status 403' }],
    ['is told with a bare text', answer(429, 'Too Many Requests'), { code: 'RATE_LIMITED', text: 'Too Many Requests' }],
    [
      'is told with HTML',
      answer(502, '<html><style>p{}</style><h1>Bad Gateway</h1>'),
      { code: 'UNAVAILABLE', text: 'Bad Gateway' },
    ],
    ['is told with half a JSON', answer(500, '{"errors":['), { code: 'UNAVAILABLE', text: 'status 500' }],
    ['is told with null', answer(400, 'null'), { code: 'REJECTED', text: 'status 400' }],
    ['is told with JSON of another kind', answer(400, '{"errors":"x"}'), { code: 'REJECTED', text: 'status 400' }],
    [
      'knows a rate limit by its code',
      answer(403, errors('TOOMANYREQUESTS', 'slow')),
      { code: 'RATE_LIMITED', text: 'slow' },
    ],
    ['knows what is too large', answer(413, ''), { code: 'TOO_LARGE', text: 'status 413' }],
  ];
  it.each(cases)('%s', async (_, response, { code, text }) => {
    const error = await errorFromResponse(response, { action: 'pull x', host: 'r.example.com' });
    expect(error).toMatchObject({ code, status: response.status });
    expect(error.message).toContain(text);
  });

  it('is short, and cannot steer a terminal', async () => {
    const error = await errorFromResponse(answer(500, `\u001b[2J\u202e${'x'.repeat(3 * 1024 * 1024)}`), {
      action: 'pull x',
      host: 'r.example.com',
    });
    expect(error.message.length).toBeLessThan(500);
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('shows what is left of a quota', async () => {
    const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600', 'retry-after': '60' };
    const error = await errorFromResponse(answer(429, '', headers), { action: 'pull x', host: 'docker.io' });
    expect(error.details).toEqual(['limit: 100;w=21600', 'left: 0;w=21600', 'try again after: 60']);
    expect(error.hint).toContain('slipway login docker.io');
  });
});
