import { codeOf, type Descriptor, Semaphore } from '../../oci/index.ts';
import { isSlipwayError } from '../../errors.ts';
import { MemoryTarget } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import { isReferrersTag } from '../images/copy.ts';
import type { ImageDestination, ImagePlace } from '../images/image-place.ts';
import { listTags, nameIn } from '../images/list-tags.ts';
import { openDestination } from '../images/open-destination.ts';
import { openForRemoval, openPlace } from '../images/open-place.ts';
import type { SyncedTag, SyncOptions, SyncTask, TagFilter } from './contract.ts';
import type { TagChoice } from './tag-filter.ts';

const atOnce = 4;

/**
 * Makes repositories the same as others, tag by tag. What is the same costs one HEAD at each side and no pull. A tag that
 * the source has lost goes only where a task says `prune`, alone, and only after all others were copied.
 * @returns what became of each tag; one that failed is among them
 * @throws what opening a place throws, and without `keepGoing` what failed first, when nothing runs any more
 */
export async function syncImages(tasks: readonly SyncTask[], options: SyncOptions): Promise<readonly SyncedTag[]> {
  const results: SyncedTag[] = [];
  const all = tasks.map((task) => new Syncing(task, options, results));
  const attempt = async (work: () => Promise<void>, { source, target }: SyncTask): Promise<void> => {
    try {
      await work();
    } catch (error) {
      options.signal?.throwIfAborted();
      if (options.keepGoing !== true) throw error;
      // a repository that cannot be listed; what failed of single tags was told
      if (!results.some((result) => result.error === error)) {
        note(results, options, { source, target, tag: '*', outcome: 'failed', error });
      }
    }
  };
  for (const each of all) await attempt(() => each.run(), each.task);
  // what one task brought is not lost for another one with the same target
  for (const each of all) await attempt(() => each.prune(all), each.task);
  return results;
}

function note(results: SyncedTag[], { onTag }: SyncOptions, tag: SyncedTag): void {
  results.push(tag);
  onTag?.(tag);
}

/** Ranges of versions are read by a package that only this command needs. */
async function choiceOf(filter: TagFilter): Promise<TagChoice> {
  const { tagChoice } = await import('./tag-filter.ts');
  return tagChoice(filter);
}

/** One task at work. */
class Syncing {
  readonly task: SyncTask;
  readonly #options: SyncOptions;
  readonly #results: SyncedTag[];
  #failed = false;
  /** The place that its tags go to, and what they are called there; undefined until that is known. */
  #goal: string | undefined;
  #names: readonly string[] | undefined;

  constructor(task: SyncTask, options: SyncOptions, results: SyncedTag[]) {
    this.task = task;
    this.#options = options;
    this.#results = results;
  }

  async run(): Promise<void> {
    try {
      await this.#copy();
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  async #copy(): Promise<void> {
    const { signal } = this.#options;
    const { single, source: text } = this.task;
    const choose = await choiceOf(this.task.tags);
    await using source = await openPlace(text, this.#options);
    await using destination = await this.#openDestination();
    this.#goal = destination.target.label;
    const tags = single ? [source.reference] : choose((await listTags(source, { signal })).filter(isOwn));
    if (tags.length === 0) throw new BuildError('IMAGE_NOT_FOUND', `${text} has no tags that are wanted`);
    this.#names = single ? [destination.reference] : tags;
    await this.#all(tags, (tag) => this.#syncTag(tag, source, destination));
    await destination.commit({ signal });
  }

  /**
   * Takes away what the source has lost, if the task says so. What failed may be what would have taken a tag's place, and one image says
   * nothing of the other tags of its target.
   * @param all tasks of this run, which were all done
   */
  async prune(all: readonly Syncing[]): Promise<void> {
    const { prune, single } = this.task;
    if (!prune || single || this.#failed) return;
    const same = all.filter((other) => other.#goal === this.#goal || (other.#failed && other.#goal === undefined));
    if (same.some((other) => other.#failed)) return;
    const kept = new Set(same.flatMap((other) => other.#names ?? []));
    await using destination = await this.#openDestination();
    await this.#prune(kept, destination);
    await destination.commit({ signal: this.#options.signal });
  }

  async #openDestination(): Promise<ImageDestination> {
    const { target } = this.task;
    return this.#options.dryRun === true ? lookAt(target, this.#options) : openDestination(target, this.#options);
  }

  async #all(tags: readonly string[], work: (tag: string) => Promise<SyncedTag>): Promise<void> {
    const { parallel = atOnce, keepGoing = false, signal } = this.#options;
    const room = new Semaphore(parallel);
    let first: unknown;
    const one = async (tag: string): Promise<void> => {
      if (first !== undefined && !keepGoing) return;
      try {
        note(this.#results, this.#options, await work(tag));
      } catch (error) {
        signal?.throwIfAborted();
        this.#failed = true;
        first ??= error;
        const { source, target } = this.task;
        note(this.#results, this.#options, { source, target, tag, outcome: 'failed', error });
      }
    };
    await Promise.all(tags.map((tag) => room.run(() => one(tag), signal)));
    if (first !== undefined && !keepGoing) throw first;
  }

  async #syncTag(tag: string, source: ImagePlace, destination: ImageDestination): Promise<SyncedTag> {
    const { signal, dryRun = false, skipExisting = false, memory, onEvent } = this.#options;
    const { platforms, referrers } = this.task;
    const told = { source: this.task.source, target: this.task.target, tag };
    const name = this.task.single ? destination.reference : destination.nameFor(tag);
    const [root, there] = await Promise.all([
      source.target.resolve(nameIn(source, tag), { signal }),
      at(destination, name, { signal }),
    ]);
    if (there !== undefined && skipExisting) return { ...told, outcome: 'kept', digest: there.digest };
    const wanted = platforms === undefined ? root.digest : memory?.get(root.digest, platforms);
    if (there !== undefined && there.digest === wanted && !referrers) {
      return { ...told, outcome: 'same', digest: there.digest };
    }
    if (dryRun) return { ...told, outcome: there?.digest === wanted ? 'same' : 'copied', digest: wanted };
    const graph = { signal, onEvent, referrers, names: [name], ...(platforms && { platforms }) };
    const made = await destination.receive(source.target, root, graph);
    if (platforms !== undefined) memory?.set(root.digest, platforms, made);
    return { ...told, outcome: there?.digest === made.digest ? 'same' : 'copied', digest: made.digest };
  }

  async #prune(kept: ReadonlySet<string>, to: ImageDestination): Promise<void> {
    const { signal, dryRun = false } = this.#options;
    const { source, target, tags: filter } = this.task;
    // opening for writing may make a repository
    await using place = await (dryRun ? openPlace : openForRemoval)(target, this.#options);
    const chosen = (await choiceOf(filter))((await listTags(place, { signal })).filter(isOwn));
    const lost = chosen.filter((tag) => !kept.has(tag));
    await this.#all(lost, async (tag) => {
      if (!dryRun) await untag(to, to.nameFor(tag), { signal });
      return { source, target, tag, outcome: 'pruned' };
    });
  }
}

/** A destination that is only looked at: nothing is made there, and where nothing is, it is empty. */
async function lookAt(text: string, options: SyncOptions): Promise<ImageDestination> {
  const looked = {
    text,
    nameFor: (tag: string) => tag,
    receive: async () => {
      throw new Error('a dry run copies nothing');
    },
    commit: async () => {},
  };
  try {
    const place = await openPlace(text, options);
    return { ...looked, ...place, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
  } catch (error) {
    if (codeOf(error) !== 'NOT_FOUND' && codeOf(error) !== 'NOT_A_LAYOUT') throw error;
    const target = new MemoryTarget(text);
    return { ...looked, kind: 'file', target, reference: '', [Symbol.asyncDispose]: async () => {} };
  }
}

/** The lists of what refers to a digest are written anew where they are needed. */
function isOwn(tag: string): boolean {
  return !isReferrersTag(tag);
}

async function at(
  { target }: ImageDestination,
  name: string,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Descriptor | undefined> {
  try {
    return await target.resolve(name, options);
  } catch (error) {
    if (isSlipwayError(error) && codeOf(error) === 'NOT_FOUND') return undefined;
    throw error;
  }
}

async function untag(
  { target, text }: ImageDestination,
  tag: string,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<void> {
  if ('deleteTag' in target && typeof target.deleteTag === 'function')
    return target.deleteTag(tag, options) as Promise<void>;
  if ('untag' in target && typeof target.untag === 'function') return target.untag(tag, options) as Promise<void>;
  throw new BuildError('UNSUPPORTED', `no tag is taken away from ${text}`, { hint: 'sync without prune' });
}
