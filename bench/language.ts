import { join } from 'node:path';
import type { Comparison, Contender } from './harness.ts';
import { project } from './place.ts';

const files = ['short-runs', 'long-run', 'continued-run', 'comments', 'heredoc', 'pairs'];

/**
 * What the Dockerfile language costs, in rows `…, one`: the work in a fresh process, less that process without the work.
 * Bars: 1 s for a file of 10 MB of any shape; 15 ms for 20,000 paths against 15 ignore patterns, the first time too.
 */
export function language(): Comparison {
  return {
    title: 'the Dockerfile language',
    rounds: 5,
    contenders: [
      ...files.map((shape) => contender(`parse 10 MB: ${shape}`, shape, { times: 1, fixed: 0 })),
      contender('20,000 paths, 15 patterns, first time', 'ignore', { times: 1, fixed: 0 }),
      contender('20,000 paths, 15 patterns, again', 'ignore', { times: 100, fixed: 10 }),
    ],
  };
}

function contender(name: string, work: string, { times, fixed }: { times: number; fixed: number }): Contender {
  const command = (count: number) =>
    [process.execPath, join(project, 'bench', 'language-work.ts'), work, String(count)] as const;
  return { name, command: command(times), each: { times, fixed: { times: fixed, command: command(fixed) } } };
}
