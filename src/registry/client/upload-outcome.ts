import { type Digest, OciError } from '../../oci/index.ts';
import { messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';
import { backoff, isTransientStatus, retryAfter } from '../http/backoff.ts';
import { discard } from '../http/body.ts';
import type { HttpResponse } from '../http/dispatch.ts';
import { isTransientError } from '../http/network-error.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import { type SessionCall, uploadError } from './upload-session.ts';

/** How often one upload is gone on with in all, however much the registry took each time: a byte at a time would never end. */
export const mostRecoveries = 1000;

export function tooSlow(host: string): RegistryError {
  return new RegistryError(
    'UPLOAD_LOST',
    `${host} takes only a little of all that is sent to it, ${mostRecoveries} times now`,
  );
}

/** What became of one request of an upload. */
export type Outcome = { readonly response: HttpResponse } | { readonly error: unknown };

export async function outcomeOf(send: () => Promise<HttpResponse>): Promise<Outcome> {
  try {
    return { response: await send() };
  } catch (error) {
    return { error };
  }
}

/** Lets go of an answer that says no more than its status. */
export async function letGo(outcome: Outcome): Promise<void> {
  if ('response' in outcome) await discard(outcome.response);
}

/** Waits before a request is sent again; `attempt` counts from 1. What the registry asks for is kept by the host's gate already. */
export async function pauseAfter(
  { connection, signal }: SessionCall,
  outcome: Outcome,
  attempt: number,
): Promise<void> {
  const { clock, policy } = connection;
  const asked = 'response' in outcome ? retryAfter(outcome.response, clock, policy) : undefined;
  await letGo(outcome);
  if (asked === undefined) await clock.sleep(backoff(attempt, clock, policy), signal);
}

export function isStored({ status }: HttpResponse): boolean {
  return status === 201 || status === 204 || status === 202 || status === 200;
}

/** 201 is what ECR says to a PATCH. */
export function isAccepted({ status }: HttpResponse): boolean {
  return status === 202 || status === 201 || status === 204 || status === 200;
}

function isTransient(outcome: Outcome): boolean {
  return 'error' in outcome ? isTransientError(outcome.error) : isTransientStatus(outcome.response.status);
}

/** The registry has other bytes than we think, or no longer knows the session. */
function isLostPlace(outcome: Outcome): boolean {
  return 'response' in outcome && (outcome.response.status === 416 || outcome.response.status === 404);
}

/** Whether another request may do: something broke, the place was lost, or a token died, which has been renewed by then. */
export function mayPass(outcome: Outcome): boolean {
  if (isTransient(outcome) || isLostPlace(outcome)) return true;
  return 'response' in outcome && outcome.response.status === 401;
}

export async function blobIsThere({ connection, signal }: SessionCall, digest: Digest): Promise<boolean> {
  const head = await call(connection, { method: 'HEAD', path: `blobs/${digest}`, signal });
  await discard(head);
  return head.status === 200;
}

export async function errorOf(connection: RepositoryConnection, digest: Digest, outcome: Outcome): Promise<unknown> {
  if ('error' in outcome) return outcome.error;
  const error = await uploadError(connection, digest, outcome.response);
  if (error.serverCode === 'BLOB_UPLOAD_UNKNOWN') {
    return new RegistryError('UPLOAD_LOST', `${connection.host} loses what is sent to it: ${messageOf(error)}`, {
      cause: error,
      status: error.status,
      serverCode: error.serverCode,
      hint: 'Push again: what is complete is not sent twice. If it stays so, the registry may have several servers without a common storage.',
    });
  }
  if (error.serverCode !== 'DIGEST_INVALID') return error;
  const name = nameOf(connection, digest);
  return new OciError('DIGEST_MISMATCH', `what arrived is not ${name}: ${messageOf(error)}`, { cause: error });
}
