import { ProtocolError } from '../../src/registry/server/protocol-error.ts';
import type { ServerLayer } from '../../src/registry/server/pipeline.ts';

/** A registry as they were before distribution-spec 1.1: no referrers API, and no word of subjects. */
export const withoutReferrers: ServerLayer = async ({ path, request, response }, next) => {
  if (path.includes('/referrers/')) throw new ProtocolError('UNSUPPORTED', 'no', { status: 404 });
  if (request.method === 'PUT') {
    const send = response.writeHead.bind(response);
    response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
      const { 'oci-subject': _, ...others } = headers;
      return send(status, others);
    }) as typeof response.writeHead;
  }
  return next();
};
