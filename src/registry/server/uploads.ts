import { type DigestAlgorithm, isDigest } from '../../oci/index.ts';
import { digestFrom, type Exchange, sendEmpty } from './exchange.ts';
import { isRepositoryName } from './names.ts';
import { ProtocolError } from './protocol-error.ts';
import type { UploadSession } from './upload-sessions.ts';

/** POST: a mount, a whole blob in one request, or the start of an upload (distribution-spec, "Pushing blobs"). */
export async function postUpload(exchange: Exchange): Promise<void> {
  const { query, name, uploads } = exchange;
  if (query.has('mount') && (await mounted(exchange))) return;
  const algorithm = algorithmWanted(query);
  const digest = query.get('digest');
  if (digest !== null) digestFrom(digest);
  const session = await uploads.start(name, algorithm);
  if (digest === null) return sendProgress(exchange, session, 202);
  await dropOnFailure(exchange, session, async () => {
    await take(exchange, session);
    await commit(exchange, session);
  });
}

/** A mount that cannot be is no error: the client gets an ordinary upload. */
async function mounted({ query, storage, repository, response, name, may, quotas }: Exchange): Promise<boolean> {
  const digest = query.get('mount');
  const from = query.get('from');
  if (!isDigest(digest)) return false;
  const sources = from !== null ? [from] : (await storage.holds(digest)) ? await storage.repositories() : [];
  for (const source of sources.filter(isRepositoryName)) {
    const there = may('pull', source) ? await storage.repository(source).blob(digest) : undefined;
    if (there === undefined) continue;
    const known = await repository.blob(digest);
    if (known === undefined) await quotas.checkRepository(name, there.size);
    if (!(await repository.mountBlob(digest, source))) continue;
    if (known === undefined) await quotas.noteShared(name, there.size);
    sendEmpty(response, 201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest });
    return true;
  }
  return false;
}

/** What the digest will be made by, so that the bytes are hashed as they come. @throws ProtocolError DIGEST_INVALID */
function algorithmWanted(query: URLSearchParams): DigestAlgorithm {
  const wanted = query.get('digest-algorithm') ?? query.get('digest')?.split(':', 1)[0] ?? 'sha256';
  if (wanted === 'sha256' || wanted === 'sha512') return wanted;
  throw new ProtocolError('DIGEST_INVALID', 'digests are made by sha256 or sha512 here');
}

/** GET: how much has arrived. */
export async function getUpload(exchange: Exchange, id: string): Promise<void> {
  const session = await exchange.uploads.find(exchange.name, id);
  await session.exclusive(async () => sendProgress(exchange, session, 204));
}

/** PATCH: a chunk. With a Content-Range it must go on exactly where the last one ended, else 416. */
export async function patchUpload(exchange: Exchange, id: string): Promise<void> {
  const session = await exchange.uploads.find(exchange.name, id);
  await session.exclusive(async () => {
    const length = checkPlace(exchange, session);
    checkChunks(exchange, session);
    await take(exchange, session);
    session.lastChunk = length;
    sendProgress(exchange, session, 202);
  });
}

/** PUT: the last bytes, if any, and the digest that all must have. */
export async function putUpload(exchange: Exchange, id: string): Promise<void> {
  const session = await exchange.uploads.find(exchange.name, id);
  digestFrom(exchange.query.get('digest'));
  await session.exclusive(async () => {
    checkPlace(exchange, session);
    await take(exchange, session);
    await commit(exchange, session);
  });
}

export async function deleteUpload(exchange: Exchange, id: string): Promise<void> {
  await exchange.uploads.drop(await exchange.uploads.find(exchange.name, id));
  sendEmpty(exchange.response, 204, {});
}

/** Takes the body. An upload that the registry has no room for ends, so that it takes none from others; one whose client went does not. */
async function take(exchange: Exchange, session: UploadSession): Promise<void> {
  const { request, uploads, quotas, name } = exchange;
  try {
    await session.append(exchange, (size) => quotas.check(name, size));
  } catch (error) {
    if (!request.destroyed) {
      session.end();
      await session.file.discard();
      uploads.forget(session);
    }
    throw error;
  }
}

/** Ends the session either way: one whose bytes were wrong cannot become right. */
async function commit(exchange: Exchange, session: UploadSession): Promise<void> {
  const wanted = digestFrom(exchange.query.get('digest'));
  const found = await session.digest(wanted);
  session.end();
  try {
    if (found !== wanted) {
      throw new ProtocolError('DIGEST_INVALID', `the content has the digest ${found}`, { detail: { digest: found } });
    }
    const known = await exchange.repository.blob(wanted);
    const { size } = session.file;
    await exchange.repository.commitBlob(wanted, session.file);
    if (known === undefined) await exchange.quotas.note(exchange.name, size);
  } catch (error) {
    await session.file.discard();
    throw error;
  } finally {
    exchange.uploads.forget(session);
  }
  const location = `/v2/${exchange.name}/blobs/${wanted}`;
  sendEmpty(exchange.response, 201, { location, 'docker-content-digest': wanted });
}

/** Bytes of the chunk that a Content-Range announces; undefined without one. */
function checkPlace({ request }: Exchange, session: UploadSession): number | undefined {
  const value = request.headers['content-range'];
  if (value === undefined) return undefined;
  const match = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(value);
  if (match !== null && Number(match[1]) === session.received) {
    const length = request.headers['content-length'];
    const announced = Number(match[2]) - Number(match[1]) + 1;
    if (length === undefined || Number(length) === announced) return announced;
    throw new ProtocolError('SIZE_INVALID', 'Content-Range and Content-Length disagree');
  }
  throw new ProtocolError('BLOB_UPLOAD_INVALID', `the next byte is ${session.received}`, {
    status: 416,
    headers: progressOf(session),
  });
}

/** Only the last chunk may be shorter than the registry's rules say, so after a short one there can be no other. */
function checkChunks({ rules: { chunkMinLength } }: Exchange, { lastChunk }: UploadSession): void {
  if (lastChunk === undefined || lastChunk >= chunkMinLength) return;
  throw new ProtocolError('SIZE_INVALID', `each chunk but the last must have ${chunkMinLength} bytes at least`, {
    detail: { chunkMinLength },
  });
}

function sendProgress({ response, rules: { chunkMinLength } }: Exchange, session: UploadSession, status: number): void {
  const length = chunkMinLength === 0 ? {} : { 'oci-chunk-min-length': `${chunkMinLength}` };
  sendEmpty(response, status, { ...progressOf(session), ...length });
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
