import { expect, it } from '@jest/globals';
import { targetContract } from '../contracts/target-contract.ts';
import { ScratchStore } from './scratch-store.ts';

targetContract(
  'the local store',
  async () => {
    const scratch = new ScratchStore();
    const store = await scratch.open();
    return {
      target: store.target,
      async reopen() {
        await store.close();
        return (await scratch.open()).target;
      },
      leftovers: async () => scratch.files('ingest').filter((name) => !name.endsWith('.json')),
      cleanup: () => scratch[Symbol.asyncDispose](),
    };
  },
  { reference: (word) => `example.com/test:${word}` },
);

it('says where it is', async () => {
  await using scratch = new ScratchStore();
  expect((await scratch.open()).target.label).toBe(`store:${scratch.root}`);
});
