import type { Glob } from './glob.ts';

/** What a request asks for, as a fault script names it. */
export const operations = [
  'ping',
  'catalog',
  'tags',
  'referrers',
  'get-manifest',
  'head-manifest',
  'put-manifest',
  'delete-manifest',
  'get-blob',
  'head-blob',
  'delete-blob',
  'start-upload',
  'upload-status',
  'patch',
  'put-blob',
  'cancel-upload',
  'token',
  'other',
] as const;
export type Operation = (typeof operations)[number];

/** Where in the life of a request a fault strikes. */
export const faultPoints = [
  /** Before a byte of the request's body is read. */
  'start',
  /** When `after` bytes of the request's body have come; the registry gets those. */
  'body',
  /** When the registry did what was asked, before a byte of its answer goes out. */
  'done',
  /** When `after` bytes of the answer's body went out. */
  'answer',
] as const;
export type FaultPoint = (typeof faultPoints)[number];

interface Place {
  readonly at: FaultPoint;
  /** Bytes; counts at `body` and `answer`. */
  readonly after: number;
}

/** What goes wrong with one request. */
export type Fault =
  /** The connection ends: with a TCP reset or in good order. */
  | (Place & { readonly kind: 'drop'; readonly how: 'reset' | 'end' })
  /** Nothing moves any more, and the connection stays. */
  | (Place & { readonly kind: 'stall' })
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Another answer in place of the registry's; at `start` and `body` while the client may still be sending. */
  | (Place & {
      readonly kind: 'status';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      readonly body: string;
      /** Bytes of filler after `body`. */
      readonly filler: number;
    })
  /** The registry's answer with other headers; its body stays, whatever Content-Length says. */
  | {
      readonly kind: 'headers';
      readonly set: Readonly<Record<string, string>>;
      readonly remove: readonly string[];
    }
  /** One byte of the answer's body is another. */
  | { readonly kind: 'corrupt'; readonly offset: number }
  /** The answer's body lacks its last bytes; Content-Length agrees. */
  | { readonly kind: 'shorten'; readonly by: number }
  /** The answer's body has more bytes than it should; Content-Length agrees. */
  | { readonly kind: 'lengthen'; readonly by: number }
  /** A proxy compresses the answer. */
  | { readonly kind: 'encode'; readonly encoding: 'gzip' | 'deflate' | 'br' | 'zstd' }
  /** `{path}` in the address stands for the request's own path and query. */
  | { readonly kind: 'redirect'; readonly to: string; readonly status: number }
  /** The request's Range is not seen. */
  | { readonly kind: 'ignore-range' }
  /** A part is answered that begins so many bytes after the one asked for. */
  | { readonly kind: 'wrong-range'; readonly shift: number }
  /** The Authorization that this request carries is refused from now on, with this challenge. */
  | { readonly kind: 'expire-token'; readonly challenge: string }
  /** The upload that this request belongs to is unknown from now on. */
  | { readonly kind: 'lose-session' }
  /** The Location of the answer is moved to another origin. */
  | { readonly kind: 'move-session'; readonly to: string };

/** Which requests have a fault. */
export interface FaultRule {
  /** Any operation where empty; `connection` strikes before there is a request. */
  readonly on: readonly (Operation | 'connection')[];
  /** Upper case; any where undefined. */
  readonly method: string | undefined;
  /** Of the path without query; `*` stands for any text. */
  readonly path: Glob | undefined;
  /** Only requests whose body has so many bytes at least, as they announce it. */
  readonly minSize: number;
  /** So many matching requests pass before. */
  readonly skip: number;
  /** So many have the fault; Infinity for all. */
  readonly times: number;
  readonly fault: Fault;
}
