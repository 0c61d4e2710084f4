import { isRecord } from '../../record.ts';
import { basicAuth } from '../auth/basic-auth.ts';
import { plainAccess } from '../auth/access-list.ts';
import { anyUser, type Users } from '../auth/users.ts';
import { matchesGlob, parseGlob } from '../faults/glob.ts';
import { isRepositoryName } from '../names.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { ManifestPut } from '../rules.ts';
import type { Profile, ProfileOptions } from './profile.ts';
import { behave, type Quirk } from './quirk.ts';

const account = '123456789012';
const usualPage = 100;
const largestPage = 1000;
const MiB = 1024 * 1024;
const partSizes = { smallest: 5 * MiB, largest: 10 * MiB };
/** Uploads of which the size of the last part is kept. */
const mostParts = 4096;

/** Amazon ECR, as its clients know it. */
export function ecrProfile(options: ProfileOptions): Profile {
  const { immutableTags = false } = options.ecr ?? {};
  const auth = basicAuth({
    users: onlyAws(options.users ?? anyUser),
    access: options.access ?? plainAccess({ anonymousPull: false }),
    realm: `https://${account}.dkr.ecr.us-east-1.amazonaws.com/`,
  });
  return {
    rules: {
      deletion: { tags: false, manifests: false, blobs: false },
      largestManifest: 4 * MiB,
      checkManifest: async (put) => {
        requireMediaType(put);
        if (immutableTags) await refuseTagThatIsThere(put);
      },
    },
    layers: [auth, behave(ecrQuirks(options))],
  };
}

/** A password of ECR belongs to the user AWS, whoever asked for it. */
function onlyAws(users: Users): Users {
  return {
    ...users,
    verify: async (user, password) => (await users.verify(user, password)) && user === 'AWS',
    stamp: (user) => users.stamp(user),
  };
}

function ecrQuirks({ storage, ecr = {} }: ProfileOptions): readonly Quirk[] {
  const { repositories = [], createOnPush = false, blobMounting = false } = ecr;
  const there = repositories.map(parseGlob);
  const made = new Set<string>();
  const exists = async (name: string): Promise<boolean> =>
    made.has(name) || there.some((glob) => matchesGlob(glob, name)) || (await storage.repository(name).exists());
  return [
    {
      rule: 'a repository has to be made before anything is pushed to it, or asked of it',
      before: async ({ request, endpoint }) => {
        const { name = '', action, route } = endpoint ?? {};
        if (!isRepositoryName(name) || (await exists(name))) return;
        if (createOnPush && action === 'push') made.add(name);
        else throw route === 'blob' && request.method === 'HEAD' ? forbidden() : unknownRepository(name);
      },
    },
    {
      rule: 'HEAD of a blob that may not be read is 403, and only GET says why',
      recast: (error, { request, endpoint }) =>
        endpoint?.route === 'blob' && request.method === 'HEAD' && error.code === 'DENIED' ? forbidden() : undefined,
    },
    {
      rule: 'pages have 100 tags, 1000 at most, and more is an error; their type is text/plain',
      before: ({ endpoint, query }) => {
        if (endpoint?.route !== 'tags' && endpoint?.route !== 'catalog') return;
        if (Number(query.get('n')) > largestPage) throw tooManyResults();
        if (!query.has('n')) query.set('n', `${usualPage}`);
      },
      answer: ({ status, headers }, { endpoint }) => {
        if (endpoint?.route === 'tags' && status === 200) headers['content-type'] = 'text/plain; charset=utf-8';
      },
    },
    {
      rule: 'a mount is an ordinary upload unless the account has BLOB_MOUNTING; never one from any repository',
      before: ({ query }) => {
        if (!blobMounting || !query.has('from')) query.delete('mount');
      },
    },
    {
      rule: 'a part that begins elsewhere than the last one ended is 416, and says so in its own words',
      recast: (error, { request, endpoint }) => {
        if (endpoint?.route !== 'upload' || error.status !== 416) return undefined;
        const received = Number(error.headers['range']?.split('-')[1] ?? -1) + 1;
        const [first] = (request.headers['content-range'] ?? '0-').replace(/^bytes /, '').split('-');
        const message = `First byte of the layer part is ${first} instead of ${received}`;
        return new ProtocolError('BLOB_UPLOAD_INVALID', message, { status: 416, headers: error.headers });
      },
    },
    partSizesQuirk(),
    {
      rule: 'a chunk is answered by 201',
      answer: (head, { request, endpoint }) => {
        if (endpoint?.route === 'upload' && request.method === 'PATCH' && head.status === 202) head.status = 201;
      },
    },
  ];
}

function partSizesQuirk(): Quirk {
  const lastParts = new Map<string, number>();
  return {
    rule: 'parts have 5 to 10 MiB, only the last one may have less; a stream without a range is cut by the service',
    before: ({ request, endpoint }) => {
      if (endpoint?.route !== 'upload' || request.method !== 'PATCH') return;
      if (request.headers['content-range'] === undefined) return;
      const size = Number(request.headers['content-length'] ?? 0);
      const last = lastParts.get(endpoint.item);
      if (size > partSizes.largest)
        throw invalidPart(`Layer part of ${size} bytes is larger than ${partSizes.largest}`);
      if (last !== undefined && last < partSizes.smallest)
        throw invalidPart(`Layer part of ${last} bytes is smaller than ${partSizes.smallest}, and not the last one`);
      if (lastParts.size >= mostParts) lastParts.clear();
      lastParts.set(endpoint.item, size);
    },
  };
}

function invalidPart(message: string): ProtocolError {
  return new ProtocolError('BLOB_UPLOAD_INVALID', message);
}

function unknownRepository(name: string): ProtocolError {
  const message = `The repository with name '${name}' does not exist in the registry with id '${account}'`;
  return new ProtocolError('NAME_UNKNOWN', message);
}

function forbidden(): ProtocolError {
  return new ProtocolError('DENIED', 'not authorized');
}

function tooManyResults(): ProtocolError {
  const message = `Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to ${largestPage}'`;
  return new ProtocolError('UNSUPPORTED', message);
}

function requireMediaType({ content, contentType }: ManifestPut): void {
  const document: unknown = JSON.parse(content.toString('utf8'));
  const isOci = contentType?.startsWith('application/vnd.oci.') === true;
  if (isOci && isRecord(document) && document['mediaType'] === undefined)
    throw new ProtocolError('UNSUPPORTED', 'Invalid JSON syntax', { status: 405 });
}

/** Also where the tag stands for the very same manifest: ECR does not look. */
async function refuseTagThatIsThere({ name, reference, repository }: ManifestPut): Promise<void> {
  if (reference.includes(':') || (await repository.tag(reference)) === undefined) return;
  throw new ProtocolError(
    'TAG_INVALID',
    `The image tag '${reference}' already exists in the '${name}' repository and cannot be overwritten because the repository is immutable.`,
  );
}
