import { join } from 'node:path';
import { NetworkPool } from '../container/index.ts';
import { BuildCache } from './cache/build-cache.ts';
import { BuildAccess } from './contexts/build-access.ts';
import { KeptCommits } from './contexts/git/kept-commits.ts';
import { gitContext } from './contexts/main-context.ts';
import type { TreeOptions } from './contexts/context-trees.ts';
import { RemoteSources } from './contexts/remote-sources.ts';
import type { BuildOptions } from './contract.ts';
import type { Recording } from './history/record-build.ts';
import { Lane } from './workshop/lane.ts';
import type { BuildRequest } from './request.ts';
import { namesMachine } from './run/confinement.ts';
import { ContextReader } from './solve/context-reader.ts';
import { parallelismOf, Workshop } from './workshop/workshop.ts';

/** What one build works with. */
export interface BuildPlaces {
  readonly lane: Lane;
  readonly workshop: Workshop;
  readonly reader: ContextReader;
  readonly cache: BuildCache;
  /** Of RUN steps. Taking them down may go on while the result is exported. */
  readonly networks: NetworkPool;
  readonly access: BuildAccess;
  /** What opens contexts and sources. */
  readonly opening: TreeOptions;
}

/** Makes the places of a build for the length of `work`. */
export async function withPlaces<T>(
  request: BuildRequest,
  options: BuildOptions & Recording,
  work: (places: BuildPlaces) => Promise<T>,
): Promise<T> {
  const { store, onEvent, signal } = options;
  await using lane = new Lane(store);
  await using stack = new AsyncDisposableStack();
  const parallelism = parallelismOf(request.maxParallelism);
  const workshop = options.workshop ?? stack.use(new Workshop(store.privileges, parallelism));
  using reader = new ContextReader({ workshop, lane, root: store.root, noCache: request.noCache });
  const scratch = () => lane.scratch();
  const cache = new BuildCache(store);
  await using access = new BuildAccess({ request: request.mounts, environment: process.env, scratch, signal });
  options.hide(() => access.secrets.known);
  const kept = new KeptCommits(join(store.root, 'git'));
  using remote = new RemoteSources({ access, facts: cache, kept, scratch, signal, home: gitContext(request) });
  const opening = { privileges: store.privileges, scratch, remote, onEvent, signal };
  await using networks = new NetworkPool({
    privileges: store.privileges,
    folder: scratch,
    most: parallelism.runs,
    reachesMachine: namesMachine(request.confinement),
    signal,
  });
  return await work({ lane, workshop, reader, cache, networks, access, opening });
}
