// A registry in a process of its own, to be killed: `node serve-child.ts FOLDER` prints its host.
import { openDiskStorage, startRegistry } from '../../src/registry/index.ts';

const server = await startRegistry({ storage: await openDiskStorage(process.argv[2] ?? '') });
process.stdout.write(`${server.host}\n`);
