import { isSlipwayError, messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';
import { codeOf, isRecord } from '../record.ts';
import { redactText } from '../redact.ts';

const tlsCode = /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH|EPROTO)/;
const timeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const broken = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'EAI_AGAIN', 'ENETUNREACH']);
const refused = new Set(['ECONNREFUSED', 'ENETUNREACH']);
/** Tries for a host that is not there at all: more would only make the user wait. */
const attemptsWhenRefused = 3;

/** How often a request that failed with `error` may be tried in all; 1 where another try cannot help. */
export function attemptsFor(error: unknown, attempts: number): number {
  const code = deepCode(error);
  if (refused.has(code)) return Math.min(attempts, attemptsWhenRefused);
  return isTransientError(error) ? attempts : 1;
}

/** True where a connection broke or stood still, rather than something being wrong with it. */
export function isTransientError(error: unknown): boolean {
  const code = deepCode(error);
  return timeouts.has(code) || broken.has(code) || code === 'TIMEOUT' || code === 'NETWORK' || code.startsWith('HPE_');
}

const unknownAuthority =
  /^(?:UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT)$/;

/** True where a server's certificate is of nobody whom we trust so far. */
export function isUnknownAuthority(error: unknown): boolean {
  return unknownAuthority.test(deepCode(error));
}

/** A failure below HTTP as an error for people; errors of ours and aborts pass as they are. */
export function asRegistryError(error: unknown, host: string): unknown {
  if (isSlipwayError(error) || isAbort(error)) return error;
  const code = deepCode(error);
  const cause = redactText(messageOf(error) || code);
  if (tlsCode.test(code)) {
    return new RegistryError('TLS', `no secure connection to ${host}: ${cause}`, {
      cause: error,
      hint: 'If its certificate is of an authority of your own, name that with --ca FILE, or put it into /etc/docker/certs.d/HOST.',
    });
  }
  if (timeouts.has(code))
    return new RegistryError('TIMEOUT', `${host} did not answer in time: ${cause}`, { cause: error });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new RegistryError('NETWORK', `there is no host ${host} (${code})`, {
      cause: error,
      hint: 'Check the spelling of the name, and the network.',
    });
  }
  if (refused.has(code)) {
    return new RegistryError('NETWORK', `cannot connect to ${host} (${code})`, {
      cause: error,
      hint: 'Is the registry running, and is the port right?',
    });
  }
  return new RegistryError('NETWORK', `the connection to ${host} failed: ${cause}`, { cause: error });
}

function isAbort(error: unknown): boolean {
  return isRecord(error) && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

/** The first `code` among an error, the errors it sums up and those that caused it; '' where there is none. */
function deepCode(error: unknown): string {
  let at = error;
  for (let depth = 0; isRecord(at) && depth < 4; depth++) {
    if (codeOf(at) !== '') return codeOf(at);
    at = Array.isArray(at.errors) ? (at.errors[0] as unknown) : at.cause;
  }
  return '';
}
