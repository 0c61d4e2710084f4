import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { StepGraph } from '../../dockerfile/index.ts';
import { announced } from './announce.ts';
import { isArchiveFile, peek, unpackContext } from './archive.ts';
import { shownGit } from './git/remote.ts';
import { cleanCommitTime } from './git/work-tree.ts';
import { shownUrl } from './http/shown-url.ts';
import { readNamedIgnore } from './ignore-file.ts';
import type { ContextOptions } from './main-context.ts';
import type { RemoteSources } from './remote-sources.ts';
import type { NamedContext, NamedContexts } from './named-contexts.ts';

/** A named context that is files. */
export interface ContextTree {
  readonly ignore: readonly string[];
  /** What stands for the content where that is known without reading it: of a commit, of a download. */
  readonly identity: string | undefined;
  /**
   * When what it is was made, in seconds since 1970: a commit (of a folder in a git work tree too, where nothing in it was changed
   * since), a download. Undefined where nobody can tell.
   */
  time(): Promise<number | undefined>;
  /** Absolute path of its folder; what is elsewhere is fetched now. */
  open(): Promise<string>;
}

export type TreeOptions = ContextOptions & { readonly remote: RemoteSources };

export type ContextTrees = ReadonlyMap<string, ContextTree>;

/**
 * The named contexts that a graph reads files of. Of what is elsewhere it is asked what it is now; it is fetched only when something
 * is to be copied from it in earnest.
 * @throws BuildError GIT_FAILED, DOWNLOAD_FAILED, CONTEXT_INVALID
 */
export async function contextTrees(
  contexts: NamedContexts,
  graph: Pick<StepGraph, 'steps'>,
  options: TreeOptions,
): Promise<ContextTrees> {
  const used = [...usedContexts(graph)].flatMap((name) => {
    const context = contexts.get(name);
    return context === undefined ? [] : [{ name, context }];
  });
  const trees = await Promise.all(
    used.map(async ({ name, context }) => {
      const place = placeOf(context);
      const announcement = {
        id: `context ${name}`,
        title: `[context ${name}] load ${place}`,
        onEvent: options.onEvent,
      };
      const open = () => contextTree(name, context, options);
      const tree = await (place === undefined ? open() : announced(announcement, open));
      return tree === undefined ? [] : [[name, tree] as const];
    }),
  );
  return new Map(trees.flat());
}

/** Where a context is that is elsewhere. */
function placeOf(context: NamedContext): string | undefined {
  if (context.kind === 'git') return shownGit(context.url);
  return context.kind === 'url' ? shownUrl(context.url) : undefined;
}

/** Names of contexts that steps copy from or mount. */
function usedContexts({ steps }: Pick<StepGraph, 'steps'>): ReadonlySet<string> {
  const trees = steps.flatMap((step) => {
    if (step.kind === 'copy') return step.sources.flatMap((source) => (source.kind === 'path' ? [source.from] : []));
    if (step.kind === 'run') return step.mounts.flatMap((mount) => ('from' in mount ? [mount.from] : []));
    return [];
  });
  const names = trees.flatMap((tree) => (tree?.kind === 'context' && tree.name !== undefined ? [tree.name] : []));
  return new Set(names.map((name) => name.toLowerCase()));
}

/** A named context that is files; undefined for images and stages. */
export async function contextTree(
  name: string,
  context: NamedContext,
  options: TreeOptions,
): Promise<ContextTree | undefined> {
  switch (context.kind) {
    case 'folder': {
      const { folder } = context;
      return {
        ignore: await readNamedIgnore(folder),
        identity: undefined,
        time: () => cleanCommitTime(folder, options),
        open: () => Promise.resolve(folder),
      };
    }
    case 'archive': {
      const unpacked = once(() => unpackFile(context.path, { ...options, label: `the build context ${name}` }));
      return { ignore: [], identity: undefined, time: () => Promise.resolve(undefined), open: unpacked };
    }
    case 'git': {
      const source = options.remote.git({ url: context.url, keepGitDir: context.url.keepGitDir ?? false }, 'user');
      return {
        ignore: [],
        identity: await source.identity(),
        time: () => source.commitTime(),
        open: () => source.open(),
      };
    }
    case 'url': {
      const source = options.remote.url({ url: context.url });
      const label = `the build context ${name} (${shownUrl(context.url)})`;
      const open = once(async () => {
        const folder = await source.open();
        const path = join(folder, source.name);
        return isArchiveFile(path) ? unpackFile(path, { ...options, label }) : folder;
      });
      const identity = JSON.stringify(['archive or file', await source.identity()]);
      return { ignore: [], identity, time: () => source.time(), open };
    }
    case 'layout':
    case 'image':
    case 'stored':
    case 'stage':
      return undefined;
  }
}

async function unpackFile(path: string, options: ContextOptions & { readonly label: string }): Promise<string> {
  return unpackContext(await peek(createReadStream(path)), { ...options, scratch: await options.scratch() });
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined;
  return () => (begun ??= work());
}
