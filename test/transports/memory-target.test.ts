import { MemoryTarget } from '../../src/transports/index.ts';
import { targetContract } from '../contracts/target-contract.ts';

targetContract('memory', async () => ({ target: new MemoryTarget(), cleanup: async () => {} }));
