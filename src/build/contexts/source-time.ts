import type { EpochSource } from '../../dockerfile/index.ts';
import { gitSourceOf } from './trees.ts';
import { contextTree, type TreeOptions } from './context-trees.ts';
import type { OpenContext } from './main-context.ts';
import type { NamedContexts } from './named-contexts.ts';

/** What SOURCE_DATE_EPOCH may name. */
export interface TimedSources extends TreeOptions {
  readonly context: OpenContext;
  readonly contexts: NamedContexts;
}

/**
 * When the main context was made, in seconds since 1970: the commit of a repository, or of a folder in a git work tree where nothing
 * was changed since; a download's last change. Undefined where nobody can tell.
 */
export async function contextCommitTime({ time }: Pick<OpenContext, 'time'>): Promise<number | undefined> {
  return time?.();
}

/**
 * The number that SOURCE_DATE_EPOCH stands for; undefined where what it names has no time.
 * @throws BuildError as fetching does
 */
export async function sourceTime(source: EpochSource, sources: TimedSources): Promise<number | undefined> {
  switch (source.kind) {
    case 'seconds':
      return source.seconds;
    case 'context': {
      if (source.name === undefined) return contextCommitTime(sources.context);
      const named = sources.contexts.get(source.name);
      const tree = named === undefined ? undefined : await contextTree(source.name, named, sources);
      return tree?.time();
    }
    case 'url':
      return sources.remote.url(source).time();
    case 'git':
      return gitSourceOf(source, sources).commitTime();
  }
}
