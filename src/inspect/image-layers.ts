import type { Digest, ImageConfig } from '../oci/index.ts';

/** A layer beside the history entry that made it. */
export interface LayerSummary {
  /** Position, 0 is the lowest. */
  readonly index: number;
  readonly diffId: Digest;
  /** Bytes of the tar, where known. */
  readonly size: number | undefined;
  readonly createdBy: string;
  readonly created: string | undefined;
}

/** The layers of a config with what its history says of each. Histories need not fit: what is missing stays empty. */
export function layersOf(config: ImageConfig, sizeOf: (diffId: Digest) => number | undefined): readonly LayerSummary[] {
  const made = config.history.filter((item) => item.emptyLayer !== true);
  const fits = made.length === config.diffIds.length;
  return config.diffIds.map((diffId, index) => ({
    index,
    diffId,
    size: sizeOf(diffId),
    createdBy: fits ? (made[index]?.createdBy ?? '') : '',
    created: fits ? made[index]?.created : undefined,
  }));
}
