import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildOnce } from './build-once.js';
import { makeBusyboxBase } from './busybox-base.ts';
import { machineState } from './machine-leftovers.ts';

/** Jest's globalSetup of the end-to-end tests. */
// oxlint-disable-next-line import/no-default-export -- jest asks for one
export default function setUp() {
  buildOnce();
  globalThis.machineBeforeTests = machineState();
  globalThis.sharedByTests = mkdtempSync(join(tmpdir(), 'slipway-e2e-shared-'));
  makeBusyboxBase(join(globalThis.sharedByTests, 'busybox'));
}
