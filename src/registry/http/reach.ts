import type { Place } from '../config/place.ts';
import type { Proxy } from '../config/proxies.ts';
import { type ClientCertificate, noTlsFiles, type TlsFile } from '../config/tls-files.ts';

/** How a host is reached: what its certificate is checked against and what we show to it, how long, and through what. */
export interface Reach {
  /** False accepts any certificate. */
  readonly verify: boolean;
  /** What says that any certificate is taken. */
  readonly waivedBy?: Place | undefined;
  /** Authorities trusted beside the usual ones. */
  readonly authorities: readonly TlsFile[];
  readonly clients: readonly ClientCertificate[];
  /** Milliseconds; those of the session unless given. */
  readonly connectTimeout?: number | undefined;
  readonly headersTimeout?: number | undefined;
  /** Goes before the proxies of the environment. */
  readonly proxy?: Proxy | undefined;
}

/** As any host on the net is reached. */
export const usualReach: Reach = { verify: true, ...noTlsFiles };

/**
 * How something else is reached that a registry leads to, such as its token server or its storage: whoever signs the
 * registry's certificate may sign those too, but client certificates and a missing check are for the registry's own
 * origin alone.
 */
export function reachBeyond({ authorities, connectTimeout }: Reach): Reach {
  return { verify: true, authorities, clients: [], connectTimeout };
}
