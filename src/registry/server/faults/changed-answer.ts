import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Fault } from './fault.ts';
import type { AnswerTap } from './tap-answer.ts';

type Kind = 'headers' | 'corrupt' | 'shorten' | 'lengthen' | 'encode' | 'wrong-range' | 'move-session';
type FaultOf<K extends Kind> = Extract<Fault, { readonly kind: K }>;

const changes: { readonly [K in Kind]: (fault: FaultOf<K>, request: IncomingMessage) => AnswerTap } = {
  headers: ({ set, remove }) => ({
    head: (response, status) => {
      for (const name of remove) response.removeHeader(name);
      for (const [name, value] of Object.entries(set)) response.setHeader(name, value);
      // what follows a body of another length than was told would be taken for the next answer
      if ('content-length' in set) response.setHeader('connection', 'close');
      return status;
    },
  }),
  corrupt: ({ offset }) => {
    let at = 0;
    return {
      body: (chunk) => {
        const place = offset - at;
        at += chunk.length;
        if (place < 0 || place >= chunk.length) return chunk;
        const changed = Buffer.from(chunk);
        changed[place] = (changed[place] ?? 0) ^ 1;
        return changed;
      },
    };
  },
  shorten: ({ by }) => {
    let left = Number.POSITIVE_INFINITY;
    return {
      head: (response, status) => {
        left = Math.max(0, lengthOf(response) - by);
        setLength(response, left);
        return status;
      },
      body: (chunk) => {
        const part = chunk.subarray(0, left);
        left -= part.length;
        return part;
      },
    };
  },
  lengthen: ({ by }) => ({
    head: (response, status) => {
      setLength(response, lengthOf(response) + by);
      return status;
    },
    tail: () => Buffer.alloc(by, 'x'),
  }),
  encode: ({ encoding }) => {
    const chunks: Buffer[] = [];
    return {
      head: (response, status) => {
        response.removeHeader('content-length');
        response.setHeader('content-encoding', encoding);
        return status;
      },
      body: (chunk) => {
        chunks.push(Buffer.from(chunk));
        return Buffer.alloc(0);
      },
      tail: () => encoders[encoding](Buffer.concat(chunks)),
    };
  },
  'wrong-range': ({ shift }, request) => {
    const start = Number(/^bytes=(\d{1,15})-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    request.headers.range = `bytes=${start + shift}-`;
    return {};
  },
  'move-session': ({ to }) => ({
    head: (response, status) => {
      const location = response.getHeader('location');
      if (typeof location === 'string') response.setHeader('location', new URL(location, to).href);
      return status;
    },
  }),
};

/** An answer of the registry that is changed on its way. */
export function changedAnswer(fault: FaultOf<Kind>, request: IncomingMessage): AnswerTap {
  const change = changes[fault.kind] as (fault: Fault, request: IncomingMessage) => AnswerTap;
  return change(fault, request);
}

const encoders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync } as const;

/** Infinity where the answer does not tell. */
function lengthOf(response: ServerResponse): number {
  const length = Number(response.getHeader('content-length') ?? Number.POSITIVE_INFINITY);
  return Number.isNaN(length) ? Number.POSITIVE_INFINITY : length;
}

function setLength(response: ServerResponse, length: number): void {
  if (Number.isFinite(length)) response.setHeader('content-length', length);
}
