import { join } from 'node:path';
import type { Comparison } from './harness.ts';

const launcher = join(import.meta.dirname, '..', 'bin', 'slipway');

/** How long the program takes to be there. Bar: `slipway --version` under twice `node -e 0`. */
export function startup(): Comparison {
  return {
    title: 'start-up',
    rounds: 30,
    contenders: [
      { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
      { name: 'slipway --version', command: [process.execPath, launcher, '--version'] },
      { name: 'slipway version', command: [process.execPath, launcher, 'version'] },
      { name: 'slipway --help', command: [process.execPath, launcher, '--help'] },
    ],
  };
}
