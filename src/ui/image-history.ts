import type { FoundImage } from '../build/index.ts';
import { formatSize } from '../oci/index.ts';
import { shortId } from './id.ts';
import type { Row } from './list.ts';
import { timeAgo } from './time.ts';

export type HistoryRow = Row & { readonly ID: string };

export interface HistoryShape {
  /** Ids and texts are not shortened. */
  readonly full: boolean;
  /** Sizes and times as people say them. */
  readonly human: boolean;
}

/**
 * The rows of `docker history`, latest first. Only the last entry is an image here: the earlier ones are layers, shown as docker
 * shows them. Sizes are those of the unpacked layers in the store, of the blobs elsewhere.
 */
export function imageHistory(found: FoundImage, { full, human }: HistoryShape): HistoryRow[] {
  const { id, history, sizes } = factsOf(found);
  let layer = 0;
  const rows = history.map((item): HistoryRow => {
    const size = item.emptyLayer === true ? 0 : (sizes[layer++] ?? 0);
    const createdBy = (item.createdBy ?? '').replace(/[\t\r\n]/g, ' ');
    const createdAt = wholeSeconds(item.created);
    return {
      ID: '<missing>',
      CreatedSince: item.created === undefined ? 'N/A' : human ? timeAgo(new Date(item.created)) : createdAt,
      CreatedAt: createdAt,
      CreatedBy: full || createdBy.length <= 45 ? createdBy : `${createdBy.slice(0, 44)}…`,
      Size: human ? formatSize(size) : String(size),
      Comment: item.comment ?? '',
    };
  });
  const latest = rows.at(-1);
  if (latest !== undefined) rows[rows.length - 1] = { ...latest, ID: full ? id : shortId(id) };
  return rows.reverse();
}

function factsOf(found: FoundImage) {
  if (found.kind === 'store') {
    const { image, layerSizes } = found;
    return { id: image.id, history: image.config.history, sizes: layerSizes };
  }
  const { id, config, layers } = found.view;
  return { id: id.digest, history: config.history, sizes: layers.map(({ size }) => size) };
}

/** `2024-01-01T00:00:00Z`, as docker writes times of the history. */
function wholeSeconds(created: string | undefined): string {
  return created === undefined ? '' : `${new Date(created).toISOString().slice(0, 19)}Z`;
}
