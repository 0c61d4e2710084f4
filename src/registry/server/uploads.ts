import { type DigestAlgorithm, isDigest } from '../../oci/index.ts';
import { digestFrom, type Exchange, sendEmpty } from './exchange.ts';
import { isRepositoryName } from './names.ts';
import { ProtocolError } from './protocol-error.ts';
import type { UploadSession } from './upload-sessions.ts';

/** POST: a mount, a whole blob in one request, or the start of an upload (distribution-spec, "Pushing blobs"). */
export async function postUpload(exchange: Exchange): Promise<void> {
  const { query, name, uploads } = exchange;
  if (query.has('mount') && (await mounted(exchange))) return;
  const session = await uploads.start(name, algorithmWanted(query));
  if (!query.has('digest')) return sendProgress(exchange, session, 202);
  await dropOnFailure(exchange, session, async () => {
    await session.append(exchange.request);
    await commit(exchange, session);
  });
}

/** A mount that cannot be is no error: the client gets an ordinary upload. */
async function mounted({ query, storage, repository, response, name }: Exchange): Promise<boolean> {
  const digest = query.get('mount');
  const from = query.get('from');
  if (!isDigest(digest)) return false;
  const sources = from === null ? await storage.repositories() : [from];
  for (const source of sources.filter(isRepositoryName)) {
    if (!(await repository.mountBlob(digest, source))) continue;
    sendEmpty(response, 201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest });
    return true;
  }
  return false;
}

function algorithmWanted(query: URLSearchParams): DigestAlgorithm {
  const wanted = query.get('digest-algorithm') ?? query.get('digest')?.split(':', 1)[0];
  return wanted === 'sha512' ? 'sha512' : 'sha256';
}

/** GET: how much has arrived. */
export async function getUpload(exchange: Exchange, id: string): Promise<void> {
  const session = exchange.uploads.find(exchange.name, id);
  await session.exclusive(async () => sendProgress(exchange, session, 204));
}

/** PATCH: a chunk. With a Content-Range it must go on exactly where the last one ended, else 416. */
export async function patchUpload(exchange: Exchange, id: string): Promise<void> {
  const session = exchange.uploads.find(exchange.name, id);
  await session.exclusive(async () => {
    checkPlace(exchange, session);
    await session.append(exchange.request);
    sendProgress(exchange, session, 202);
  });
}

/** PUT: the last bytes, if any, and the digest that all must have. */
export async function putUpload(exchange: Exchange, id: string): Promise<void> {
  const session = exchange.uploads.find(exchange.name, id);
  digestFrom(exchange.query.get('digest'));
  await session.exclusive(async () => {
    checkPlace(exchange, session);
    await session.append(exchange.request);
    await commit(exchange, session);
  });
}

export async function deleteUpload(exchange: Exchange, id: string): Promise<void> {
  await exchange.uploads.drop(exchange.uploads.find(exchange.name, id));
  sendEmpty(exchange.response, 204, {});
}

async function commit(exchange: Exchange, session: UploadSession): Promise<void> {
  const wanted = digestFrom(exchange.query.get('digest'));
  const found = await session.digest(wanted);
  exchange.uploads.forget(session);
  if (found !== wanted) {
    await session.file.discard();
    throw new ProtocolError('DIGEST_INVALID', `the content has the digest ${found}`);
  }
  try {
    await exchange.repository.commitBlob(wanted, session.file);
  } catch (error) {
    await session.file.discard();
    throw error;
  }
  const location = `/v2/${exchange.name}/blobs/${wanted}`;
  sendEmpty(exchange.response, 201, { location, 'docker-content-digest': wanted });
}

function checkPlace({ request }: Exchange, session: UploadSession): void {
  const value = request.headers['content-range'];
  if (value === undefined) return;
  const match = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(value);
  if (match !== null && Number(match[1]) === session.received) {
    const length = request.headers['content-length'];
    if (length === undefined || Number(length) === Number(match[2]) - Number(match[1]) + 1) return;
    throw new ProtocolError('SIZE_INVALID', 'Content-Range and Content-Length disagree');
  }
  throw new ProtocolError('BLOB_UPLOAD_INVALID', `the next byte is ${session.received}`, {
    status: 416,
    headers: progressOf(session),
  });
}

function sendProgress({ response }: Exchange, session: UploadSession, status: number): void {
  sendEmpty(response, status, progressOf(session));
}

function progressOf(session: UploadSession): Record<string, string> {
  return {
    location: `/v2/${session.name}/blobs/uploads/${session.id}`,
    range: `0-${Math.max(0, session.received - 1)}`,
    'docker-upload-uuid': session.id,
  };
}

async function dropOnFailure(exchange: Exchange, session: UploadSession, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await exchange.uploads.drop(session);
    throw error;
  }
}
