import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison, Contender } from './harness.ts';
import { project, slipway } from './place.ts';

/** Where a distribution or its user puts another Node, which then starts the checkout's own. */
const otherNode = ['/usr/local/bin/node', '/usr/bin/node'].find((file) => existsSync(file));

/** How long the program takes to be there. Bar: `slipway --version` under twice `node -e 0`. */
export function startup(): Comparison {
  const launcher = join(project, 'bin', 'slipway');
  const other: Contender[] =
    otherNode === undefined
      ? []
      : [
          { name: `${otherNode} -e 0`, command: [otherNode, '-e', '0'] },
          { name: `${otherNode} bin/slipway --version`, command: [otherNode, launcher, '--version'] },
        ];
  return {
    title: 'start-up',
    rounds: 30,
    contenders: [
      { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
      { name: 'slipway --version', command: slipway('--version') },
      { name: 'slipway version', command: slipway('version') },
      { name: 'slipway --help', command: slipway('--help') },
      { name: 'bin/slipway --version (through sh)', command: [launcher, '--version'] },
      { name: 'npx slipway --version', command: ['npx', 'slipway', '--version'], cwd: project },
      ...other,
    ],
  };
}
