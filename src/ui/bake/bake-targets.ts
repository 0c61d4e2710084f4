import {
  bake,
  type BakeResults,
  type BakeSelection,
  type BuildOptions,
  printTarget,
  printable,
} from '../../build/index.ts';
import { answer, type Answer } from '../answer.ts';
import { toJson } from '../json.ts';
import type { TargetWork } from './jobs.ts';

export interface Baked {
  readonly results: BakeResults;
  /** What was asked of Dockerfiles, for standard output. */
  readonly text: string;
  readonly exitCode: 0 | 1;
}

/** Builds targets, and answers what is asked of others. */
export async function bakeTargets(
  works: readonly TargetWork[],
  selection: BakeSelection,
  options: BuildOptions,
): Promise<Baked> {
  const answers = new Map<string, Answer>();
  const jobs = works.map(({ job, inquiry }) => {
    if (inquiry === undefined) return job;
    const ask = async (request: typeof job.request, own: BuildOptions): Promise<void> => {
      const { store } = options;
      const withStore = <T>(work: (opened: typeof store) => Promise<T>): Promise<T> => work(store);
      const { privileges } = store;
      answers.set(
        job.name,
        await answer(inquiry, request, { ...own, withStore, platforms: request.platforms, privileges }),
      );
    };
    return { ...job, ask };
  });
  const results = await bake(jobs, options);
  const isJson = works.some(({ inquiry }) => inquiry?.format === 'json');
  const text = answers.size === 0 ? '' : isJson ? jsonAnswers(works, answers, selection) : textAnswers(works, answers);
  const exitCode = [...answers.values()].some((each) => each.exitCode !== 0) ? 1 : 0;
  return { results, text, exitCode };
}

function textAnswers(works: readonly TargetWork[], answers: ReadonlyMap<string, Answer>): string {
  const parts = works
    .toSorted((a, b) => (a.job.name < b.job.name ? -1 : 1))
    .flatMap(({ target }) => {
      const found = answers.get(target.name);
      if (found === undefined) return [];
      const { description = '' } = target;
      return [`${target.name}\n${description === '' ? '' : `${description}\n`}\n${found.text.trimEnd()}\n`];
    });
  return parts.join('\n');
}

/** In the form of buildx: what is built, and beside it what was found. */
function jsonAnswers(
  works: readonly TargetWork[],
  answers: ReadonlyMap<string, Answer>,
  selection: BakeSelection,
): string {
  const targets = works.map(({ target, inquiry }) => {
    const found = answers.get(target.name);
    const answered =
      found === undefined || inquiry === undefined ? {} : { [inquiry.about]: JSON.parse(found.text) as unknown };
    return [target.name, { build: printTarget(target), ...answered }] as const;
  });
  return toJson({ ...(printable(selection) as object), target: Object.fromEntries(targets) });
}
