import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../../../errors.ts';
import { codeOf } from '../../record.ts';
import type { ServerLayer } from '../pipeline.ts';
import { ProtocolError, sendError } from '../protocol-error.ts';

/** Turns what inner layers throw into answers; `onError` hears of what went wrong in the server itself. */
export function answerErrors(onError: ((message: string) => void) | undefined): ServerLayer {
  return async ({ request, response, path }, next) => {
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    try {
      await next();
    } catch (error) {
      // The client is gone; there is nobody to tell.
      if (response.destroyed || (request.destroyed && !request.complete)) return;
      const known = error instanceof ProtocolError ? error : noSpace(error);
      if (known === undefined) onError?.(`${request.method ?? ''} ${path}: ${messageOf(error)}`);
      if (response.headersSent) response.destroy();
      else tell(request, response, known ?? new ProtocolError('UNKNOWN', 'the registry failed'));
    }
    // What is left of a body that nobody read would be taken for the next request.
    if (!request.complete) request.resume();
  };
}

function noSpace(error: unknown): ProtocolError | undefined {
  if (!['ENOSPC', 'EDQUOT'].includes(codeOf(error))) return undefined;
  return new ProtocolError('DENIED', 'the registry has no space left', { status: 507 });
}

function tell(request: IncomingMessage, response: ServerResponse, error: ProtocolError): void {
  // HTTP/2 ends streams, not connections, and has no such header (RFC 9113 §8.2.2).
  if (!request.complete && request.httpVersionMajor < 2) response.setHeader('connection', 'close');
  sendError(response, error);
}
