import type { GraphWarning } from '../dockerfile/index.ts';
import type { ImageConfig, Platform } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import type { OnBuildEvent } from './events.ts';
import type { OnShell } from './failed-step/contract.ts';
import type { OpenRepository } from './images/resolve.ts';
import type { Exported } from './outputs/export.ts';
import type { Workshop } from './workshop/workshop.ts';
import type { KnownSecrets } from './history/record-build.ts';

/** What a build works with, beside what it is to build. */
export interface BuildOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  /** What to wait for before a step may write much more: asked after events with output. Never rejected. */
  readonly shown?: (() => Promise<void> | undefined) | undefined;
  /** Told before anything runs where the values of secrets come from: output of steps can have them, what is written down must not. */
  readonly hide?: ((values: KnownSecrets) => void) | undefined;
  /** How a shell in a failed step is shown, where the request asks for one. */
  readonly onShell?: OnShell | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The caller's own, which several builds may share and which the caller ends; one for this build unless given. */
  readonly workshop?: Workshop | undefined;
}

/** What a build made: its image, or the index of several platforms, and where they went. */
export interface BuildResult extends Exported {
  /** The image of each platform. */
  readonly platforms: readonly { readonly platform: Platform; readonly config: ImageConfig }[];
  /** Of the Dockerfile. */
  readonly warnings: readonly GraphWarning[];
}
