import type { NetworkPool } from '../../container/index.ts';
import type { Step, StepId } from '../../dockerfile/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { ImageForm, Store } from '../../store/index.ts';
import type { CacheLookup, LayerLoss } from '../cache/build-cache.ts';
import type { OpenContext } from '../contexts/main-context.ts';
import type { OnBuildEvent } from '../events.ts';
import type { OnShell } from '../failed-step/contract.ts';
import type { ResolvedImage } from '../images/resolve.ts';
import type { Lane } from '../workshop/lane.ts';
import type { BuildRequest } from '../request.ts';
import type { TreeOffer } from '../contexts/trees.ts';
import type { ContextReader } from './context-reader.ts';
import type { Workshop } from '../workshop/workshop.ts';

/** What a solved step left: its layers, lowest first, and when its own was made. */
export interface StepResult {
  readonly diffIds: readonly Digest[];
  /** RFC 3339; undefined for images from outside. */
  readonly created: string | undefined;
}

export interface SolveOptions {
  readonly store: Store;
  /** Asked and told instead of the store's own records: it also knows those of imported caches. */
  readonly cache: CacheLookup;
  readonly workshop: Workshop;
  readonly lane: Lane;
  readonly reader: ContextReader;
  /** Id by which the build is remembered; the lane's unless given. */
  readonly build?: string | undefined;
  readonly networks: NetworkPool;
  readonly request: BuildRequest;
  readonly context: OpenContext;
  readonly secrets: TreeOffer['secrets'];
  readonly folders: TreeOffer['folders'];
  readonly remote: TreeOffer['remote'];
  imageOf(step: Step & { kind: 'image' }): ResolvedImage;
  readonly onEvent: OnBuildEvent;
  readonly onShell?: OnShell | undefined;
  /** SOURCE_DATE_EPOCH of a reproducible build, seconds since 1970. */
  readonly epoch?: number | undefined;
  readonly shown: (() => Promise<void> | undefined) | undefined;
  /** Hears of each layer of a result that was made, not found, once it is there. */
  readonly onLayer?: ((diffId: Digest) => void) | undefined;
  /** The form in which blobs of the layers of a result will be asked for, where that is sure. */
  readonly blobForm?: ImageForm | undefined;
  /** Makes sure of layers that results have from elsewhere; returns those that are not to be had, or are others. */
  readonly settle: (results: ReadonlyMap<StepId, StepResult>) => Promise<readonly LayerLoss[]>;
  readonly signal: AbortSignal | undefined;
}

export interface Solution {
  readonly results: ReadonlyMap<StepId, StepResult>;
  /** Writes down what was done; `images` are the ids of what was made of it. */
  close(images: readonly Digest[]): void;
}
