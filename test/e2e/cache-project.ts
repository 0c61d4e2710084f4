import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxBase } from './busybox-base.ts';
import { runCli, testHome } from './run-cli.ts';

/** A project of three stages whose steps write random bytes: the same image comes out only where nothing was done again. */
export interface CacheProject {
  readonly home: string;
  /** The layout of the base. */
  readonly base: string;
  /** Builds in the store of that name, which is made by its first use. Fails where the command does. */
  build(store: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Built>;
  /** As `build`, whatever the command says. */
  tryBuild(
    store: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<Built & { readonly code: number | null }>;
  /** What COPY takes into the second stage. */
  write(text: string): Promise<void>;
  /** As `build`, in a store of nothing. */
  buildFresh(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Built>;
  /** Deletes a store. */
  forget(store: string): Promise<void>;
}

export interface Built {
  /** The image's id, which holds the digests of all its layers. */
  readonly id: string;
  /** Plain progress: what was cached, and notes. */
  readonly log: string;
}

const dockerfile = `
FROM busybox AS random
RUN head -c 300000 /dev/urandom > /random && head -c 16 /dev/urandom > /stamp
ARG TOKEN=none
RUN head -c 1000 /dev/urandom > /more && cat /stamp >> /random
FROM busybox AS copied
COPY file /file
RUN head -c 1000 /dev/urandom > /seed && cat /file /seed > /out
FROM busybox
COPY --from=random /random /random
COPY --from=copied /out /out
RUN cat /out /random > /all
`;

/** Steps of the project that are done or found done; each has a layer of its own. */
export const stepCount = 7;

export async function cacheProject(): Promise<CacheProject> {
  const home = await testHome();
  const base = await busyboxBase(join(home, 'busybox'));
  const context = join(home, 'context');
  await mkdir(context);
  await writeFile(join(context, 'Dockerfile'), dockerfile);
  const write = (text: string): Promise<void> => writeFile(join(context, 'file'), text);
  await write('first\n');
  const tryBuild: CacheProject['tryBuild'] = async (store, args, env = {}) => {
    const iid = join(home, `${store}.iid`);
    const from = args.includes('--build-context') ? [] : base;
    const { code, stderr } = await runCli(
      ['build', '--progress', 'plain', '--iidfile', iid, ...from, ...args, context],
      { env: { SLIPWAY_ROOT: join(home, store), ...env } },
    );
    return { code, log: stderr, id: code === 0 ? await readFile(iid, 'utf8') : '' };
  };
  const build: CacheProject['build'] = async (store, args, env) => {
    const { code, ...built } = await tryBuild(store, args, env);
    if (code !== 0) throw new Error(`build ${args.join(' ')} ended with ${code}\n${built.log}`);
    return built;
  };
  const forget = (store: string): Promise<void> => rm(join(home, store), { recursive: true, force: true });
  let count = 0;
  return {
    home,
    base: join(home, 'busybox'),
    write,
    tryBuild,
    build,
    buildFresh: async (args, env) => {
      const store = `fresh-${count++}`;
      try {
        return await build(store, args, env);
      } finally {
        await forget(store);
      }
    },
    forget,
  };
}

export function cachedSteps(log: string): number {
  return log.match(/^#\d+ CACHED$/gm)?.length ?? 0;
}
