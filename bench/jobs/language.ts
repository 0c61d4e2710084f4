import type { Contender, Job } from '../measure/index.ts';
import { work } from '../places/index.ts';

const files = ['short-runs', 'long-run', 'continued-run', 'comments', 'heredoc', 'pairs'];

/** What the Dockerfile language costs, in rows `…, one`: the work in a fresh process, less that process without the work. */
export const language: Job = {
  name: 'language',
  title: 'the Dockerfile language',
  places: ['tmpfs', 'folder'],
  make: async () => ({
    contenders: [
      ...files.map((shape) => contender(`parse 10 MB: ${shape}`, shape, { times: 1, fixed: 0 })),
      contender('20,000 paths, 15 patterns, first time', 'ignore', { times: 1, fixed: 0 }),
      contender('20,000 paths, 15 patterns, again', 'ignore', { times: 100, fixed: 10 }),
    ],
    bars: [
      ...files.map((shape) => ({ of: `parse 10 MB: ${shape}, one`, figure: 'wall', atMost: 1000 }) as const),
      { of: '20,000 paths, 15 patterns, first time, one', figure: 'wall', atMost: 15 },
    ],
  }),
};

function contender(name: string, what: string, { times, fixed }: { times: number; fixed: number }): Contender {
  const command = (count: number) => work('language', what, String(count));
  return {
    name,
    role: 'ours',
    command: command(times),
    each: { times, fixed: { times: fixed, command: command(fixed) } },
  };
}
