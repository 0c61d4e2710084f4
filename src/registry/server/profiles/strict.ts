import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isDigest } from '../../../oci/index.ts';
import { isRepositoryName } from '../names.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { Profile, ProfileOptions } from './profile.ts';
import type { RegistryStorage } from '../storage/storage.ts';
import { behave, type Quirk } from './quirk.ts';

const MiB = 1024 * 1024;
const mostStates = 4096;

/** Refuses whatever the specification lets a registry refuse, and gives as little as it lets one give. */
export function strictProfile({ storage, chunkMinLength = MiB }: ProfileOptions): Profile {
  return {
    rules: {
      deletion: { tags: false, manifests: false, blobs: false },
      chunkMinLength,
      largestManifest: 4 * MiB,
      pageSize: 10,
      idleTimeout: 10_000,
      uploadAge: 10_000,
      mostUploads: 16,
    },
    layers: [behave([...strictQuirks, acceptedTypesAlone(storage), oneUseLocations()])],
  };
}

const strictQuirks: readonly Quirk[] = [
  {
    rule: 'a body has a Content-Length and a Content-Type',
    before: ({ request, endpoint }) => {
      if (endpoint?.action !== 'push' || !['PUT', 'PATCH'].includes(request.method ?? '')) return;
      if (request.headers['transfer-encoding'] !== undefined)
        throw new ProtocolError('SIZE_INVALID', 'a Content-Length is needed', { status: 411 });
      if (hasBody(request) && request.headers['content-type'] === undefined)
        throw new ProtocolError('UNSUPPORTED', 'a Content-Type is needed', { status: 415 });
    },
  },
  {
    rule: 'bytes of a blob have the type application/octet-stream',
    before: ({ request, endpoint }) => {
      if (endpoint?.route !== 'upload' || !hasBody(request)) return;
      if (request.headers['content-type'] === 'application/octet-stream') return;
      throw new ProtocolError('UNSUPPORTED', 'the type must be application/octet-stream', { status: 415 });
    },
  },
  {
    rule: 'a chunk says where it belongs',
    before: ({ request, endpoint }) => {
      if (endpoint?.route === 'upload' && request.method === 'PATCH' && request.headers['content-range'] === undefined)
        throw new ProtocolError('BLOB_UPLOAD_INVALID', 'a Content-Range is needed', { status: 416 });
    },
  },
  {
    rule: 'POST takes no blob, mounts need a repository, and tags come one by one',
    before: ({ query, endpoint }) => {
      if (endpoint?.route === 'uploads') query.delete('digest');
      if (!query.has('from')) query.delete('mount');
      if (endpoint?.route === 'manifest') query.delete('tag');
    },
  },
  {
    rule: 'blobs come whole',
    before: ({ request, endpoint }) => {
      if (endpoint?.route === 'blob') delete request.headers.range;
    },
    answer: ({ headers }, { endpoint }) => {
      if (endpoint?.route === 'blob') delete headers['accept-ranges'];
    },
  },
];

function hasBody(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? 0) > 0;
}

function acceptedTypesAlone(storage: RegistryStorage): Quirk {
  return {
    rule: 'a manifest is there only for who accepts its type',
    before: async ({ request, endpoint }) => {
      if (endpoint?.route !== 'manifest' || endpoint.action !== 'pull' || !isRepositoryName(endpoint.name)) return;
      const repository = storage.repository(endpoint.name);
      const digest = isDigest(endpoint.item) ? endpoint.item : await repository.tag(endpoint.item);
      const type = digest === undefined ? undefined : (await repository.manifest(digest))?.mediaType;
      const accepted = (request.headers.accept ?? '').split(',').map((each) => each.split(';', 1)[0]?.trim());
      if (type === undefined || accepted.includes(type) || accepted.includes('*/*')) return;
      throw new ProtocolError('MANIFEST_UNKNOWN', `it is a ${type}, which is not accepted`);
    },
  };
}

/** The location of an upload is another one after each answer; the last one still tells how far the upload is. */
function oneUseLocations(): Quirk {
  const states = new Map<string, { current: string; last: string }>();
  return {
    rule: 'the location of an upload is good for one request',
    before: ({ request, endpoint, query }) => {
      if (endpoint?.route !== 'upload') return;
      const state = states.get(endpoint.item);
      const given = query.get('_state');
      if (given !== null && given === state?.current) return;
      if (given !== null && given === state?.last && request.method === 'GET') return;
      throw new ProtocolError('BLOB_UPLOAD_UNKNOWN', 'that location was used before, or is none of ours');
    },
    answer: ({ headers }) => {
      const location = String(headers['location'] ?? '');
      const [, id] = /\/blobs\/uploads\/([^/?]+)$/.exec(location) ?? [];
      if (id === undefined) return;
      const current = randomUUID();
      const last = states.get(id)?.current ?? '';
      states.delete(id);
      states.set(id, { current, last });
      const [oldest] = states.keys();
      if (states.size > mostStates && oldest !== undefined) states.delete(oldest);
      headers['location'] = `${location}?_state=${current}`;
    },
  };
}
