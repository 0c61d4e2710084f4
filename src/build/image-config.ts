import type { DraftHistoryItem, ImageDraft, PlatformResult, StepId } from '../dockerfile/index.ts';
import type { HistoryItem, ImageConfig } from '../oci/index.ts';
import type { StepResult } from './solve.ts';

/**
 * The config of a built image: the graph's draft with what only the build knows. A history entry without a layer takes the time
 * of the entry before it, so that an unchanged rebuild is the same image.
 */
export function imageConfigOf(
  graph: Pick<PlatformResult, 'image' | 'target'>,
  results: ReadonlyMap<StepId, StepResult>,
): ImageConfig {
  const { platform, author, config } = graph.image;
  const history = datedHistory(graph.image, results);
  const created = history.findLast((item) => item.created !== undefined)?.created ?? new Date().toISOString();
  return {
    platform,
    created,
    ...(author === undefined ? {} : { author }),
    config,
    diffIds: graph.target === undefined ? [] : (results.get(graph.target)?.diffIds ?? []),
    history,
  };
}

function datedHistory(image: ImageDraft, results: ReadonlyMap<StepId, StepResult>): HistoryItem[] {
  let last: string | undefined;
  return image.history.map((draft: DraftHistoryItem) => {
    const { step, inherited, ...item } = draft;
    const created = inherited ? item.created : step === undefined ? last : results.get(step)?.created;
    last = created ?? last;
    return created === undefined ? item : { ...item, created };
  });
}
