import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { openRepository, type RegistrySession } from '../../src/registry/index.ts';
import { targetContract } from '../contracts/target-contract.ts';
import { debianRegistry, hasDebianRegistry, type DebianRegistry } from './debian-registry.ts';
import { embeddedRegistry, type EmbeddedRegistry, quickSession } from './embedded.ts';

let session: RegistrySession;
let embedded: EmbeddedRegistry;
let debian: DebianRegistry | undefined;

beforeAll(async () => {
  session = quickSession();
  embedded = await embeddedRegistry();
  if (hasDebianRegistry) debian = await debianRegistry();
});

afterAll(async () => {
  await session.close();
  await embedded.close();
  await debian?.close();
});

targetContract('a repository of the embedded registry', async () => {
  const name = `${embedded.host}/test/${randomUUID()}`;
  const options = { session, credential: 'anonymous' as const };
  return {
    target: openRepository(name, options),
    reopen: () => Promise.resolve(openRepository(name, options)),
    leftovers: () => readdir(join(embedded.root, '_uploads')),
    cleanup: () => Promise.resolve(),
  };
});

if (hasDebianRegistry) {
  targetContract(
    "a repository of Debian's docker-registry",
    async () => {
      const name = `${debian?.host}/test/${randomUUID()}`;
      const options = { session, credential: 'anonymous' as const };
      return {
        target: openRepository(name, options),
        reopen: () => Promise.resolve(openRepository(name, options)),
        cleanup: () => Promise.resolve(),
      };
    },
    // version 2.8 answers a sha512 upload with a sha256 digest
    { sha512: false },
  );
}
