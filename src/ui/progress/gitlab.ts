import { randomBytes } from 'node:crypto';
import type { GroupDialect } from './grouped.ts';

const clearLine = '\u001b[0K';

/**
 * GitLab's collapsible sections. A marker needs a carriage return and an escape sequence, neither of which a line of ours can
 * have: what steps write keeps nothing but colours.
 */
export function gitlabDialect(now: () => number): GroupDialect {
  // Names must not meet those of other sections of the job.
  const run = randomBytes(4).toString('hex');
  let count = 0;
  const marker = (kind: 'start' | 'end', options = ''): string =>
    `${clearLine}section_${kind}:${Math.floor(now() / 1000)}:slipway_${run}_${count}${options}\r${clearLine}`;
  return {
    open: (title) => {
      count += 1;
      return [`${marker('start', '[collapsed=true]')}${title}`];
    },
    close: () => [marker('end')],
    outside: (line) => line,
    quote: (lines) => lines,
  };
}
