import type { PrivateNetwork } from '../contract.ts';

/** Makes networks of one build, in one way. Disposing takes all of them down. */
export interface NetworkBuilder extends AsyncDisposable {
  /** For whoever has to clear away what is left: written down before the first `make`. Undefined: nothing outlives us. */
  readonly name: string | undefined;
  /** One that steps can run in, one at a time. */
  make(signal?: AbortSignal): Promise<PrivateNetwork>;
}

/** What `default` means on this machine. */
export type NetworkReport =
  /** `file` is the program that makes it. */
  | {
      readonly kind: 'private';
      readonly means: 'netavark' | 'pasta' | 'slirp4netns';
      readonly file: string;
      /** `private (netavark 1.4.0)` */
      readonly description: string;
    }
  | {
      readonly kind: 'host';
      /** `host (netavark is not installed)` */
      readonly description: string;
    };
