import { describe, expect, it } from '@jest/globals';
import { redactHeaders, redactText, redactUrl } from '../../src/registry/redact.ts';

describe('redactUrl', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['userinfo', 'https://me:pw@r.example.com/v2/', 'https://r.example.com/v2/'],
    [
      'query values',
      'https://b.example.com/x?X-Amz-Signature=abc&n=1',
      'https://b.example.com/x?X-Amz-Signature=***&n=***',
    ],
    ['fragments', 'https://r.example.com/#secret', 'https://r.example.com/'],
    ['nothing where there is nothing', 'https://r.example.com/v2/a', 'https://r.example.com/v2/a'],
    ['relative locations', '/v2/a/blobs/uploads/1?_state=abc', '/v2/a/blobs/uploads/1?_state=***'],
  ];
  it.each(cases)('hides %s', (_, url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});

describe('redactText hides', () => {
  const secret = 'c4n4ry+/secret';
  const cases: readonly (readonly [string, string])[] = [
    ['Basic', `Authorization: Basic ${Buffer.from(`u:${secret}`).toString('base64')}`],
    ['Bearer', `sent Bearer ${secret}`],
    ['JSON tokens', `{"access_token":"${secret}","x":1}`],
    ['JSON tokens in any case', `{"IdentityToken": "${secret}"}`],
    ['cut-off JSON tokens', `{"token":"${secret}`],
    ['forms', `grant_type=refresh_token&refresh_token=${secret}`],
    ['URLs within text', `cannot open <https://u:${encodeURIComponent(secret)}@h/?sig=${secret}>: no`],
    ['URLs within text, as they are', `GET "https://h/p?sig=${secret}" failed`],
    ['relative URLs within text', `location /v2/a?_state=${secret} refused`],
    ['private keys', `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`],
  ];
  it.each(cases)('%s', (_, text) => {
    const shown = redactText(text);
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(encodeURIComponent(secret));
    expect(shown).not.toContain(Buffer.from(`u:${secret}`).toString('base64'));
    expect(shown).toContain('***');
  });

  it('JWTs', () => {
    expect(redactText('got eyJhbGciOi.eyJzdWIiOi.c2ln')).toBe('got ***');
  });

  it.each([
    ['as it is', secret],
    ['URL-encoded', encodeURIComponent(secret)],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['JSON-escaped', JSON.stringify(secret).slice(1, -1)],
  ])('a given secret %s', (_, spelled) => {
    expect(redactText(`before ${spelled} after`, [secret])).not.toContain(spelled.replace(/=+$/, ''));
  });

  it('and leaves ordinary words alone', () => {
    const text = 'Basic authentication failed; a bearer token is missing for https://r.example.com/v2/';
    expect(redactText(text)).toBe(text);
  });
});

describe('redactHeaders', () => {
  it('keeps the scheme word only', () => {
    const headers = { authorization: 'Bearer abc', cookie: 'a=b', accept: '*/*', location: 'https://h/?a=b' };
    expect(redactHeaders(headers)).toEqual({
      authorization: 'Bearer ***',
      cookie: '***',
      accept: '*/*',
      location: 'https://h/?a=***',
    });
  });
});
