import type { Credential } from './credentials/credential.ts';

/**
 * Every number and switch of the registry client, as plain data: what command lines, the environment and library callers
 * say. Whatever is left out has the default that its docstring names.
 */
export interface RegistrySettings {
  /** Which protocol to speak; http for loopback hosts and https for all others unless given. */
  readonly scheme?: 'http' | 'https' | undefined;
  /** The credential for every registry; looked up in the user's files and credential programs unless given, `anonymous` for none. */
  readonly credential?: Credential | 'anonymous' | undefined;
  /** The only file to look for credentials in, and to log in to; all the usual places unless given. */
  readonly authFile?: string | undefined;
  /** Hosts of token servers that may get the credential although they are on another domain; none unless given. */
  readonly trustedRealms?: readonly string[] | undefined;
  /** Makes a repository of Amazon ECR that is not there before it is pushed to; no unless given. */
  readonly createRepository?: boolean | undefined;
  /** Tries of one request, or of a transfer that does not get on; 6 unless given. */
  readonly attempts?: number | undefined;
  /** Longest wait before the second try, milliseconds, doubled with each further one; 250 unless given. */
  readonly retryDelay?: number | undefined;
  /** Longest wait between two tries, milliseconds; 30,000 unless given. */
  readonly retryMaxDelay?: number | undefined;
  /** Longest pause that a registry may ask for (`Retry-After`), milliseconds; 300,000 unless given. */
  readonly maxRetryAfter?: number | undefined;
  /** Milliseconds for everything together; no end unless given. */
  readonly timeout?: number | undefined;
  /** Bytes a second of all transfers together, in both directions; as fast as it goes unless given. */
  readonly limitRate?: number | undefined;
  /** Connections to one host; 8 unless given. */
  readonly connections?: number | undefined;
  /** Milliseconds until a connection must stand; 10,000 unless given. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds until the headers of an answer must be there; 60,000 unless given. */
  readonly headersTimeout?: number | undefined;
  /** Milliseconds without a byte of a body, in either direction; 30,000 unless given. */
  readonly stallTimeout?: number | undefined;
  /** Blobs that a copy takes from a registry at once; 6 unless given. */
  readonly downloads?: number | undefined;
  /** Blobs sent to registries at once; 4 unless given. */
  readonly uploads?: number | undefined;
  /** Blobs of more bytes come by several connections; 64 MiB unless given. */
  readonly parallelFrom?: number | undefined;
  /** Connections for one such blob; 5 unless given, 1 for no more than one. Each but the first keeps a piece in memory. */
  readonly parallelStreams?: number | undefined;
  /** Bytes of a piece; 2 MiB unless given. */
  readonly pieceSize?: number | undefined;
  /**
   * False takes any certificate of the registries that are named, and plain http where they do not speak TLS; true
   * overrules what files say of insecure registries. As the files say unless given.
   */
  readonly tlsVerify?: boolean | undefined;
  /** Files with certificates of authorities that are trusted beside the usual ones; none unless given. */
  readonly ca?: readonly string[] | undefined;
  /** A folder with certificates for the registries that are named (`*.crt`, `*.cert`, `*.key`); none unless given. */
  readonly certDir?: string | undefined;
  /** `HOST:PORT:ADDRESS[:PORT]`, other addresses for hosts; none unless given. */
  readonly resolve?: readonly string[] | undefined;
  /** `PREFIX=LOCATION`, mirrors that go before those of the user's files; none unless given. */
  readonly mirrors?: readonly string[] | undefined;
  /** Longest wait for a mirror that does not answer, milliseconds; 2,000 unless given. */
  readonly mirrorTimeout?: number | undefined;
}
