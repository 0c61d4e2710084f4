import { describe, expect, it } from '@jest/globals';
import { type Descriptor, describe as describeContent, isDigest, mediaTypes } from '../../src/oci/index.ts';
import { Registries, type RegistryServerOptions } from '../../src/registry/index.ts';
import { ProtocolError } from '../../src/registry/server/protocol-error.ts';
import type { ServerLayer } from '../../src/registry/server/pipeline.ts';
import { debianRegistry, hasDebianRegistry } from './debian-registry.ts';
import { embeddedRegistry } from './embedded.ts';
import { pushImage } from './made-images.ts';
import { withoutReferrers } from './without-referrers.ts';

/** Deletion as other registries have it. */
const kinds: Readonly<Record<string, Partial<RegistryServerOptions>>> = {
  'as the specification has it': {},
  'of manifests only, tags being 405': { layers: [tagDeletion(405, 'UNSUPPORTED')] },
  'of manifests only, tags being no digests': { layers: [tagDeletion(400, 'DIGEST_INVALID')] },
  'of manifests only, tags being unknown': { layers: [tagDeletion(404, 'MANIFEST_UNKNOWN')] },
  'of the manifest where a tag is meant': { layers: [wholeManifest] },
};

function tagDeletion(status: number, code: 'UNSUPPORTED' | 'DIGEST_INVALID' | 'MANIFEST_UNKNOWN'): ServerLayer {
  return async ({ request, path }, next) => {
    if (request.method === 'DELETE' && !path.includes(':')) throw new ProtocolError(code, 'no', { status });
    return next();
  };
}

/** What zot once did: the tag's manifest goes, and with it its other tags. */
async function wholeManifest(visit: Parameters<ServerLayer>[0], next: () => Promise<void>): Promise<void> {
  const { request, path, endpoint } = visit;
  if (request.method !== 'DELETE' || endpoint === undefined || path.includes(':')) return next();
  const { host } = request.headers;
  const head = await fetch(`http://${host}${path}`, { method: 'HEAD' });
  const digest = head.headers.get('docker-content-digest') ?? '';
  const gone = await fetch(`http://${host}${path.slice(0, path.lastIndexOf('/'))}/${digest}`, { method: 'DELETE' });
  visit.response.writeHead(gone.status).end();
}

async function withRepository(
  host: string,
  work: (target: Awaited<ReturnType<Registries['open']>>) => Promise<void>,
): Promise<void> {
  await using registries = new Registries();
  await work(await registries.open(`${host}/app`, 'push'));
}

/** Two tags of one image, and another image. */
async function threeTags(target: Awaited<ReturnType<Registries['open']>>): Promise<Descriptor> {
  const image = await pushImage(target, 'v1');
  await target.tag(image, 'v2');
  await pushImage(target, 'other', { layers: ['other'] });
  return image;
}

describe.each(Object.entries(kinds))('a registry with deletion %s', (_, options) => {
  it('loses one tag and no other', async () => {
    await using server = await embeddedRegistry(options);
    await withRepository(server.host, async (target) => {
      const { digest } = await threeTags(target);
      await target.deleteTag('v1');
      expect((await target.listTags()).toSorted()).toEqual(['other', 'v2']);
      expect((await target.resolve('v2')).digest).toBe(digest);
      await expect(target.deleteTag('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });
});

describe('a registry that takes the manifest away with a tag', () => {
  const denyList = (when: () => boolean): ServerLayer => {
    return async ({ endpoint }, next) => {
      if (endpoint?.route === 'tags' && when()) throw new ProtocolError('DENIED', 'no');
      return next();
    };
  };

  it('loses those tags that are taken away side by side, and no other', async () => {
    await using server = await embeddedRegistry({ layers: [wholeManifest] });
    await withRepository(server.host, async (target) => {
      const [a, , , kept] = await Promise.all(
        ['a', 'b', 'c', 'kept'].map((tag) => pushImage(target, tag, { layers: [tag] })),
      );
      if (a === undefined) throw new Error('no image');
      await target.tag(a, 'sibling');
      await Promise.all(['a', 'b', 'c'].map((tag) => target.deleteTag(tag)));
      expect((await target.listTags()).toSorted()).toEqual(['kept', 'sibling']);
      expect((await target.resolve('kept')).digest).toBe(kept?.digest);
      expect((await target.resolve('sibling')).digest).toBe(a.digest);
    });
  });

  it('puts nothing over the tags that are left where it then does not tell them', async () => {
    let deleted = false;
    const watching: ServerLayer = async (visit, next) => {
      await next();
      if (visit.request.method === 'DELETE') deleted = true;
    };
    await using server = await embeddedRegistry({ layers: [watching, denyList(() => deleted), wholeManifest] });
    await withRepository(server.host, async (target) => {
      await threeTags(target);
      const other = await target.resolve('other');
      await expect(target.deleteTag('v1')).rejects.toMatchObject({ code: 'REJECTED' });
      expect(await target.resolve('other')).toEqual(other);
    });
  });

  it('loses no other where it never tells its tags', async () => {
    await using server = await embeddedRegistry({ layers: [denyList(() => true), wholeManifest] });
    await withRepository(server.host, async (target) => {
      const { digest } = await threeTags(target);
      await target.deleteTag('v1');
      await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect((await target.resolve('v2')).digest).toBe(digest);
    });
  });
});

describe('a deletion by a manifest in its place', () => {
  it.each(['head', 'delete'])('gives the tag back where it is interrupted before its %s', async (when) => {
    const interruption = new AbortController();
    let standsIn = false;
    const interrupting: ServerLayer = async ({ request, path }, next) => {
      if (request.method === 'PUT' && path.endsWith('/manifests/v1')) standsIn = true;
      else if (standsIn && request.method === when.toUpperCase() && !interruption.signal.aborted) {
        interruption.abort();
        await new Promise(() => {});
      }
      return next();
    };
    await using server = await embeddedRegistry({ layers: [interrupting, tagDeletion(405, 'UNSUPPORTED')] });
    await withRepository(server.host, async (target) => {
      const { digest } = await threeTags(target);
      standsIn = false;
      await expect(target.deleteTag('v1', { signal: interruption.signal })).rejects.toMatchObject({
        name: 'AbortError',
      });
      expect((await target.resolve('v1')).digest).toBe(digest);
    });
  });
});

describe('a registry that deletes nothing', () => {
  const refuse: ServerLayer = async ({ request }, next) => {
    if (request.method === 'DELETE') throw new ProtocolError('UNSUPPORTED', 'deletion is off');
    return next();
  };

  it('keeps its tags, untouched', async () => {
    const written: string[] = [];
    const onRequest: RegistryServerOptions['onRequest'] = ({ method, path }) =>
      void (method === 'PUT' && written.push(path));
    await using server = await embeddedRegistry({ layers: [refuse], onRequest });
    await withRepository(server.host, async (target) => {
      const { digest } = await threeTags(target);
      written.length = 0;
      await expect(target.deleteTag('v1')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      expect(written).toEqual([]);
      expect((await target.resolve('v1')).digest).toBe(digest);
    });
  });

  it('gets a tag back where it deletes what is not there, but not what is', async () => {
    const stubborn: ServerLayer = async ({ request, path }, next) => {
      const there = request.method === 'DELETE' && (await fetch(`http://${request.headers.host}${path}`)).ok;
      if (there) throw new ProtocolError('DENIED', 'no');
      return next();
    };
    const reluctant: ServerLayer = async (visit, next) => {
      const isTag = visit.request.method === 'DELETE' && !isDigest(visit.path.slice(visit.path.lastIndexOf('/') + 1));
      if (isTag) throw new ProtocolError('UNSUPPORTED', 'no');
      return stubborn(visit, next);
    };
    await using server = await embeddedRegistry({ layers: [reluctant] });
    await withRepository(server.host, async (target) => {
      const { digest } = await threeTags(target);
      await expect(target.deleteTag('v1')).rejects.toMatchObject({ code: 'DENIED' });
      expect((await target.resolve('v1')).digest).toBe(digest);
    });
  });
});

(hasDebianRegistry ? describe : describe.skip)("Debian's docker-registry", () => {
  it('loses one tag and no other', async () => {
    const debian = await debianRegistry();
    try {
      await withRepository(debian.host, async (target) => {
        const { digest } = await threeTags(target);
        await target.deleteTag('v1');
        await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
        expect((await target.resolve('v2')).digest).toBe(digest);
      });
    } finally {
      await debian.close();
    }
  });
});

describe('without a referrers API', () => {
  it('a deleted referrer leaves the index under the tag', async () => {
    await using server = await embeddedRegistry({ layers: [withoutReferrers] });
    await withRepository(server.host, async (target) => {
      const subject = await pushImage(target, 'v1');
      const empty = describeContent(mediaTypes.ociEmpty, Buffer.from('{}'));
      await target.push(empty, Buffer.from('{}'));
      const artifact = (artifactType: string) =>
        pushImage(target, undefined, {
          layers: [artifactType],
          manifest: { artifactType, config: empty, subject, annotations: { of: artifactType } },
        });
      const [sbom, signature] = [await artifact('test/sbom'), await artifact('test/signature')];
      const listed = (await target.referrers(subject.digest)).map(({ digest, artifactType, annotations }) => [
        digest,
        artifactType,
        annotations,
      ]);
      expect(listed).toEqual([
        [sbom.digest, 'test/sbom', { of: 'test/sbom' }],
        [signature.digest, 'test/signature', { of: 'test/signature' }],
      ]);
      await target.deleteManifest(sbom.digest);
      expect((await target.referrers(subject.digest)).map(({ digest }) => digest)).toEqual([signature.digest]);
      expect((await target.referrers(subject.digest, 'test/sbom')).length).toBe(0);
    });
  });
});
