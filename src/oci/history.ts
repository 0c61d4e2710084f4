import type { HistoryItem, ImageConfig } from './image-config.ts';

/**
 * The history item that made each layer, lowest first. Where the items do not add up to the layers (squashed and
 * imported images), no item can be trusted to belong to a layer: all are undefined.
 */
export function historyByLayer(config: ImageConfig): readonly (HistoryItem | undefined)[] {
  const makers = config.history.filter((item) => item.emptyLayer !== true);
  return makers.length === config.diffIds.length ? makers : config.diffIds.map(() => undefined);
}
