import { OciError } from '../../../oci/index.ts';
import { RegistryError, type RegistryErrorCode } from '../../error.ts';
import { ProtocolError } from '../protocol-error.ts';

const missing: ReadonlySet<string> = new Set(['NOT_FOUND']);
const outOfReach: ReadonlySet<RegistryErrorCode> = new Set([
  'NETWORK',
  'TIMEOUT',
  'TLS',
  'UNAVAILABLE',
  'RATE_LIMITED',
  'BAD_RESPONSE',
]);

/** The upstream says that there is no such thing. */
export function saysMissing(error: unknown): boolean {
  return (error instanceof OciError || error instanceof RegistryError) && missing.has(error.code);
}

/** The upstream says nothing that could be believed; what is here may be served meanwhile. */
export function isOutOfReach(error: unknown): boolean {
  if (error instanceof RegistryError) return outOfReach.has(error.code);
  return error instanceof Error && ['AbortError', 'TimeoutError'].includes(error.name);
}

/** An upstream's failure as our own clients hear of it: never its challenge, which is not theirs to answer. */
export function asProtocolError(error: unknown, host: string): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const code = error instanceof RegistryError ? error.code : undefined;
  if (code === 'RATE_LIMITED') return new ProtocolError('TOOMANYREQUESTS', `${host} allows no more requests for now`);
  if (code === 'UNAUTHORIZED' || code === 'DENIED')
    return new ProtocolError('DENIED', `${host} does not know it, or does not let this registry have it`);
  if (error instanceof OciError || code === 'UNSUPPORTED' || code === 'TOO_LARGE')
    return new ProtocolError('UNKNOWN', `what ${host} has cannot be passed on`, { status: 502 });
  return new ProtocolError('UNKNOWN', `${host} cannot be reached`, { status: 502 });
}
