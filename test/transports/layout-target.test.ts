import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLayout } from '../../src/transports/index.ts';
import { targetContract } from '../contracts/target-contract.ts';

targetContract('layout folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'layout-'));
  return {
    target: await openLayout(root, { create: true }),
    reopen: () => openLayout(root),
    cleanup: () => rm(root, { recursive: true }),
    leftovers: async () => (await readdir(join(root, '.slipway'))).filter((name) => name !== 'lock'),
  };
});
