import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf, mediaTypes } from '../../src/oci/index.ts';
import { openRepository } from '../../src/registry/index.ts';
import { quickSession } from './embedded.ts';
import { reply, type ScriptedServer, scriptedServer } from './scripted-server.ts';

const digest = digestOf('subject');
let server: ScriptedServer | undefined;
afterEach(() => server?.close());

type Answer = readonly [status: number, body: string, next?: string];

/** A server whose lists have these pages. */
async function pagesOf(type: string, ...answers: readonly Answer[]) {
  let page = 0;
  server = await scriptedServer((_, response) => {
    const [status, body, next] = answers[page++] ?? [500, ''];
    const link = next === undefined ? {} : { link: `<${next}>; rel="next"` };
    reply(response, status, { 'content-type': type, ...link }, body);
  });
  return openRepository(`${server.host}/app`, { session: quickSession({ attempts: 1 }), credential: 'anonymous' });
}

describe('a list of tags', () => {
  it.each([
    ['null', '{"name":"app","tags":null}'],
    ['left out', '{"name":"app"}'],
  ])('is empty where it is %s', async (_, body) => {
    expect(await (await pagesOf('application/json', [200, body])).listTags()).toEqual([]);
  });

  it.each([
    ['another document', '{}'],
    ['an error with status 200', '{"errors":[{"code":"DENIED"}]}'],
    ['no list', '{"name":"app","tags":"all"}'],
    ['not of texts alone', '{"name":"app","tags":["a",1]}'],
    ['a list', '["a"]'],
    ['cut off', '{"name":"app","tags":["a"'],
  ])('that is %s is none', async (_, body) => {
    const repository = await pagesOf('application/json', [200, '{"name":"app","tags":["z"]}', '?last=z'], [200, body]);
    await expect(repository.listTags()).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });

  it.each([404, 403, 400, 405])('is not complete where a later page has status %d', async (status) => {
    const repository = await pagesOf('application/json', [200, '{"tags":["z"]}', '?last=z'], [status, '{"tags":[]}']);
    await expect(repository.listTags()).rejects.toThrow();
  });
});

describe('a list of referrers', () => {
  const entry = { mediaType: mediaTypes.ociManifest, digest, size: 2, artifactType: 'test/sbom' };
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] });

  it.each([404, 400, 405, 501])('is not complete where a later page has status %d', async (status) => {
    const repository = await pagesOf(mediaTypes.ociIndex, [200, index, '?page=2'], [status, '{"manifests":[]}']);
    await expect(repository.referrers(digest)).rejects.toThrow('list what refers to');
  });
});
