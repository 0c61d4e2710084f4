import type { DraftHistoryItem, ImageDraft, PlatformResult, StepId } from '../../dockerfile/index.ts';
import type { HistoryItem, ImageConfig } from '../../oci/index.ts';
import type { StepResult } from '../solve/contract.ts';

/**
 * The config of a built image: the graph's draft with what only the build knows. A history entry without a layer takes the time
 * of the entry before it, so that an unchanged rebuild is the same image; in a reproducible build all that is ours has its `epoch`
 * (RFC 3339).
 */
export function imageConfigOf(
  graph: Pick<PlatformResult, 'image' | 'target'>,
  results: ReadonlyMap<StepId, StepResult>,
  { epoch }: { readonly epoch?: string | undefined } = {},
): ImageConfig {
  const { platform, author, config } = graph.image;
  const history = datedHistory(
    graph.image,
    (step, before) => epoch ?? (step === undefined ? before : results.get(step)?.created),
  );
  const created = epoch ?? history.findLast((item) => item.created !== undefined)?.created ?? new Date().toISOString();
  return {
    platform,
    created,
    ...(author === undefined ? {} : { author }),
    config,
    diffIds: graph.target === undefined ? [] : (results.get(graph.target)?.diffIds ?? []),
    history,
  };
}

/** `timeOf` gives the time of an entry of ours by its step and the entry before it. */
function datedHistory(
  image: ImageDraft,
  timeOf: (step: StepId | undefined, before: string | undefined) => string | undefined,
): HistoryItem[] {
  let last: string | undefined;
  return image.history.map((draft: DraftHistoryItem) => {
    const { step, inherited, ...item } = draft;
    const created = inherited ? item.created : timeOf(step, last);
    last = created ?? last;
    return created === undefined ? item : { ...item, created };
  });
}
