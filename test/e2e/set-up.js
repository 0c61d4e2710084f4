import { buildOnce } from './build-once.js';
import { machineState } from './machine-leftovers.ts';

/** Jest's globalSetup of the end-to-end tests. */
// oxlint-disable-next-line import/no-default-export -- jest asks for one
export default function setUp() {
  buildOnce();
  globalThis.machineBeforeTests = machineState();
}
