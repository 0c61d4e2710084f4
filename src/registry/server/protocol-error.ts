import type { ServerResponse } from 'node:http';

/** The codes of the distribution specification ("Error Codes") and the status each is sent with. */
const statuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNSUPPORTED: 405,
  UNKNOWN: 500,
} as const;

export type ProtocolErrorCode = keyof typeof statuses;

export interface ProtocolErrorOptions {
  /** Another status than the code's own, such as 413 or 416. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a program may want to know. */
  readonly detail?: unknown;
}

/** An answer to a client that is not a success; it ends the handling of a request. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;
  constructor(code: ProtocolErrorCode, message: string, options: ProtocolErrorOptions = {}) {
    super(message);
    this.name = 'ProtocolError';
    this.code = code;
    this.status = options.status ?? statuses[code];
    this.headers = options.headers ?? {};
    this.detail = options.detail ?? null;
  }
}

/** Answers as docker's registry does: `{"errors":[{code,message,detail}]}`. */
export function sendError(response: ServerResponse, error: ProtocolError): void {
  const { code, message, detail } = error;
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message, detail }] }));
  response.writeHead(error.status, {
    ...error.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
