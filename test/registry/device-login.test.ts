import { afterEach, beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import { beginDeviceLogin, redactText, type RegistrySession } from '../../src/registry/index.ts';
import { quickSession } from './embedded.ts';
import { reply, type ScriptedServer, scriptedServer } from './scripted-server.ts';

let session: RegistrySession;
const servers: ScriptedServer[] = [];
beforeAll(() => {
  session = quickSession();
});
afterAll(() => session.close());
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const claims = Buffer.from(JSON.stringify({ 'https://hub.docker.com': { username: 'me' } })).toString('base64url');
const accessToken = `head.${claims}.c4n4ry-signature`;

/** Docker's login service and its Hub in one: answers polls with `polls` in order. */
async function hub(polls: readonly unknown[], start: unknown = { device_code: 'dev1ce-c0de', user_code: 'ABCD-EFGH' }) {
  let polled = 0;
  const server = await scriptedServer((seen, response) => {
    const json = (status: number, document: unknown) => reply(response, status, {}, JSON.stringify(document));
    const form = new URLSearchParams(seen.body.toString());
    if (seen.url === '/oauth/device/code') {
      if (form.get('client_id') !== 'client' || form.get('audience') !== server.url) return json(400, {});
      const more = { verification_uri_complete: 'https://login.test/activate?user_code=ABCD-EFGH', interval: 0.001 };
      return json(200, { expires_in: 900, ...more, ...(start as object) });
    }
    if (seen.url === '/oauth/token') {
      if (form.get('device_code') !== 'dev1ce-c0de') return json(400, { error: 'invalid_grant' });
      return json(403, polls[polled++] ?? { error: 'expired_token', error_description: 'too late' });
    }
    if (seen.url === '/v2/access-tokens/desktop-generate' && seen.headers.authorization === `Bearer ${accessToken}`) {
      return json(201, { data: { token: 'dckr_pat_c4n4ry' } });
    }
    return json(404, {});
  });
  servers.push(server);
  return { server, service: { tenant: server.url, audience: server.url, clientId: 'client' } };
}

const pending = { error: 'authorization_pending' };

describe('a login in the browser', () => {
  it('waits for the person, and gets a token for this machine', async () => {
    const { service, server } = await hub([pending, { error: 'slow_down' }, pending, { access_token: accessToken }]);
    const login = await beginDeviceLogin({ service, session });
    expect(login).toMatchObject({ userCode: 'ABCD-EFGH', url: 'https://login.test/activate?user_code=ABCD-EFGH' });
    expect(await login.finish()).toEqual({ kind: 'basic', username: 'me', password: 'dckr_pat_c4n4ry' });
    expect(server.seen.filter(({ url }) => url === '/oauth/token')).toHaveLength(4);
    expect(redactText('got dckr_pat_c4n4ry and dev1ce-c0de')).toBe('got *** and ***');
  });

  const refusals: readonly (readonly [string, readonly unknown[], string])[] = [
    ['the person said no', [{ error: 'access_denied', error_description: 'User declined' }], 'User declined'],
    ['nobody came', [pending], 'too late'],
    ['the service gives no reason', [{}], 'no reason'],
  ];
  it.each(refusals)('fails where %s', async (_, polls, message) => {
    const { service } = await hub(polls);
    const login = await beginDeviceLogin({ service, session });
    await expect(login.finish()).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining(message),
    });
  });

  it('fails where the token of the browser names nobody', async () => {
    const { service } = await hub([{ access_token: 'opaque' }]);
    await expect((await beginDeviceLogin({ service, session })).finish()).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
    });
  });

  it.each([
    ['without a code', { device_code: '' }],
    ['with a code that would write on the terminal', { user_code: '\u001b[2J' }],
    ['with an address that is none', { verification_uri_complete: 'javascript:alert(1)' }],
  ])('is not begun by an answer %s', async (_, start) => {
    const { service } = await hub([], { device_code: 'dev1ce-c0de', user_code: 'ABCD-EFGH', ...start });
    await expect(beginDeviceLogin({ service, session })).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });
});
