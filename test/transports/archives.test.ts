import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createDockerArchive,
  createOciArchive,
  openDockerArchive,
  openOciArchive,
  type TransportSink,
  type TransportSource,
} from '../../src/transports/index.ts';
import { targetContract, type TargetUnderTest } from '../contracts/target-contract.ts';

function archive(
  create: (path: string) => Promise<TransportSink>,
  open: (path: string) => Promise<TransportSource>,
): () => Promise<TargetUnderTest> {
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'archive-'));
    const path = join(folder, 'image.tar');
    const sink = await create(path);
    const opened: AsyncDisposable[] = [sink];
    return {
      target: sink,
      reopen: async () => {
        await sink.commit();
        const source = await open(path);
        opened.push(source);
        return source;
      },
      cleanup: async () => {
        for (const each of opened) await each[Symbol.asyncDispose]();
        await rm(folder, { recursive: true });
      },
    };
  };
}

targetContract('OCI archive', archive(createOciArchive, openOciArchive));
targetContract('docker archive', archive(createDockerArchive, openDockerArchive));
