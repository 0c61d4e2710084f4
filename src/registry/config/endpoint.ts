import type { Reach } from '../http/reach.ts';
import type { Place } from './place.ts';

/** One server that a repository is read from or written to. */
export interface Endpoint {
  /** As credentials know it: `docker.io`, `mirror.example.com:5000`. */
  readonly host: string;
  /** The repository's name there; '' for none. */
  readonly repository: string;
  /** `either` for hosts that need not speak TLS: which one they speak is asked once. */
  readonly scheme: 'https' | 'http' | 'either';
  /** Where the API begins; `/v2` unless the user's files say otherwise. */
  readonly path: string;
  readonly reach: Reach;
  /** Sent to this server and nobody else; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The registry that this server stands for, told to it as `ns`; undefined where it is that registry. */
  readonly namespace: string | undefined;
  /** What says so; undefined where only the name does. */
  readonly place: Place | undefined;
}

/** An endpoint whose protocol is known. */
export interface SettledEndpoint extends Endpoint {
  readonly scheme: 'https' | 'http';
}

/** A server that may hold a copy. */
export interface Mirror {
  readonly endpoint: Endpoint;
  /** What it may be asked for: content by digest, what a tag stands for. */
  readonly serves: { readonly digests: boolean; readonly tags: boolean };
}

/** Where one repository is read and written, as the user's settings and files have it. */
export interface Route {
  /** `docker.io/library/debian`: how it is called, wherever its content comes from. */
  readonly name: string;
  /** The registry itself; asked last. */
  readonly upstream: Endpoint;
  /** Asked first, in this order. */
  readonly mirrors: readonly Mirror[];
  /** Where pushes go; the registry itself, unless a mirror is said to take them. */
  readonly writes: Endpoint;
  /** What forbids to use it; undefined where it may be used. */
  readonly blocked: Place | undefined;
}
