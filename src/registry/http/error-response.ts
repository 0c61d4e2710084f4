import { RegistryError, type RegistryErrorCode } from '../error.ts';
import { redactText } from '../redact.ts';
import { readPrefix } from './body.ts';
import { header, type HttpResponse } from './dispatch.ts';
import { isRecord } from '../record.ts';

/** What was tried, for the message: `cannot ${action}`. */
export interface Attempted {
  /** Such as `pull docker.io/library/debian:13`. */
  readonly action: string;
  readonly host: string;
}

const bodyLimit = 64 * 1024;
const shownText = 300;

/**
 * An answer that is not a success, as an error with the registry's own words. Whatever the body is (HTML of a proxy, 3
 * MiB of it, nothing), the status is always told.
 */
export async function errorFromResponse(response: HttpResponse, attempted: Attempted): Promise<RegistryError> {
  const body = await readPrefix(response.body, bodyLimit);
  const said = parseErrors(body);
  const words = said.message ?? plainText(body);
  const code = codeFor(response.status, said.code);
  const limit = isPullLimit(response, said) ? 'pulls' : 'requests';
  const reason = [`status ${response.status}`, said.code, words].filter(Boolean).join(', ');
  return new RegistryError(
    code,
    `cannot ${attempted.action}: ${explain(code, attempted.host, limit)} (${redactText(reason)})`,
    {
      status: response.status,
      serverCode: said.code,
      hint: hintFor(code, attempted.host, limit),
      details: code === 'RATE_LIMITED' ? quotaOf(response) : [],
    },
  );
}

/** Docker Hub has two limits: of pulls, told with its headers and JSON, and of requests from an address, told by a bare line. */
function isPullLimit(response: HttpResponse, said: Said): boolean {
  return header(response, 'ratelimit-limit') !== undefined || /pull rate limit/i.test(said.message ?? '');
}

/** What a registry tells of its limits: Docker Hub's headers, and how long it wants to be left alone. */
function quotaOf(response: HttpResponse): readonly string[] {
  const told = [
    ['limit', header(response, 'ratelimit-limit')],
    ['left', header(response, 'ratelimit-remaining')],
    ['counted for', header(response, 'docker-ratelimit-source')],
    ['try again after', header(response, 'retry-after')],
  ];
  return told.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${clean(value)}`]));
}

interface Said {
  readonly code?: string;
  readonly message?: string;
}

/** `{"errors":[{code,message,detail}]}` (distribution-spec, "Error Codes"); anything else is no answer. */
function parseErrors(body: Buffer): Said {
  try {
    const document: unknown = JSON.parse(body.toString('utf8'));
    const errors = member(document, 'errors');
    const first: unknown = Array.isArray(errors) ? errors[0] : document;
    const code = member(first, 'code') ?? member(first, 'error');
    const message = member(first, 'message') ?? member(first, 'error_description') ?? member(first, 'details');
    return {
      ...(typeof code === 'string' && /^[\w-]{1,60}$/.test(code) ? { code } : {}),
      ...(typeof message === 'string' && message !== '' ? { message: clean(message) } : {}),
    };
  } catch {
    return {};
  }
}

function member(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Text of a server on one line, without the control characters that could steer a terminal. */
function clean(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, shownText);
}

function plainText(body: Buffer): string {
  const text = body.toString('utf8', 0, 8192);
  return clean(
    /^\s*<(?:!doctype|html)/i.test(text) ? text.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ') : text,
  );
}

function codeFor(status: number, serverCode: string | undefined): RegistryErrorCode {
  if (status === 429 || serverCode?.toUpperCase() === 'TOOMANYREQUESTS') return 'RATE_LIMITED';
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'DENIED';
  if (status === 404) return 'NOT_FOUND';
  if (status === 413) return 'TOO_LARGE';
  if (status === 405 || status === 501 || serverCode === 'UNSUPPORTED') return 'UNSUPPORTED';
  return status >= 500 ? 'UNAVAILABLE' : 'REJECTED';
}

function explain(code: RegistryErrorCode, host: string, limit: 'pulls' | 'requests'): string {
  if (code === 'RATE_LIMITED') return `${host} allows no more ${limit} for now`;
  if (code === 'UNAUTHORIZED') return `${host} wants a login, or does not know this repository`;
  if (code === 'DENIED') return `${host} does not allow it`;
  if (code === 'NOT_FOUND') return `${host} does not have it`;
  if (code === 'TOO_LARGE') return `it is too large for ${host}`;
  if (code === 'UNSUPPORTED') return `${host} does not support it`;
  return code === 'UNAVAILABLE' ? `${host} is in trouble` : `${host} refused`;
}

function hintFor(code: RegistryErrorCode, host: string, limit: 'pulls' | 'requests'): string | undefined {
  if (code === 'UNAUTHORIZED') return `Check the name; if it is private, run: slipway login ${host}`;
  if (code === 'DENIED') return `The account has no right to this repository. Another one: slipway login ${host}`;
  if (code === 'NOT_FOUND') return 'Check the name and the tag; some registries want a repository to be created first.';
  if (code === 'RATE_LIMITED') {
    if (limit === 'requests') return 'Wait a while, and ask for less at once: everybody behind this address counts.';
    return `Wait, log in for a higher limit (slipway login ${host}), or pull through a mirror (docs/registries.md).`;
  }
  return undefined;
}
