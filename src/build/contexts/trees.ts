import { join } from 'node:path';
import {
  type AddSource,
  type ContextCopy,
  type CopySource,
  type CopyStep,
  encodeText,
  parseGitUrl,
  type StepId,
  type TreeSource,
} from '../../dockerfile/index.ts';
import { chainIdOfAll, type Digest, digestOf } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { selectionForm } from '../copy/selection-sum.ts';
import type { ContextModes } from '../copy/tree.ts';
import type { ContextTree, ContextTrees } from './context-trees.ts';
import type { GitSource } from './git/git-source.ts';
import { writeInline } from './inline.ts';
import type { OpenContext } from './main-context.ts';
import type { RemoteSources } from './remote-sources.ts';
import { BuildError } from '../error.ts';
import type { SecretSources } from '../mounts/secrets.ts';
import type { Selection, SourceRef, TreeRef } from '../workshop/jobs.ts';
import type { Lane } from '../workshop/lane.ts';

/** What the build may read from: contexts by name, and results of earlier steps. */
export interface TreeOffer {
  readonly store: Store;
  readonly lane: Lane;
  readonly context: OpenContext;
  readonly secrets: SecretSources;
  /** How modes of contexts are taken. */
  readonly modes?: ContextModes | undefined;
  /** Named contexts that are files, by name. */
  readonly folders: ContextTrees;
  /** What is fetched from elsewhere. */
  readonly remote: RemoteSources;
  layersOf(step: StepId): readonly Digest[];
  /** Makes sure that the snapshots of a stack of layers are there. */
  unpack(diffIds: readonly Digest[]): Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/** The tree behind a source. A step's snapshot is unpacked only when `open` is called. */
export interface Tree {
  /** Content identity where it is known without reading: a step's chainID. */
  readonly chainId: Digest | 'empty' | undefined;
  /** The same of what comes from elsewhere: its commit, the digest of a download. */
  readonly identity?: string | undefined;
  open(): Promise<TreeRef>;
}

/** @throws BuildError CONTEXT_NOT_FOUND */
export function treeOf(source: TreeSource, offer: TreeOffer): Tree {
  if (source.kind === 'context') return contextTree(source.name, offer);
  const diffIds = source.kind === 'step' ? offer.layersOf(source.step) : [];
  const chainId = chainIdOfAll(diffIds);
  return {
    chainId: chainId ?? 'empty',
    open: async () => {
      await offer.unpack(diffIds);
      return {
        root: offer.store.snapshots.view(chainId),
        resetOwner: false,
        label: 'the stage or image that it copies from',
      };
    },
  };
}

function contextTree(name: string | undefined, offer: TreeOffer): Tree {
  const tree = name === undefined ? mainTree(offer) : namedTree(name, offer);
  const label = name === undefined ? 'the build context' : `the build context ${name}`;
  const ref = (folder: string) => contextRef(folder, { ignore: tree.ignore, modes: offer.modes, label });
  return {
    chainId: undefined,
    identity: identityIn(tree, offer),
    open: () => tree.open().then(ref),
  };
}

type RefOptions = Pick<TreeRef, 'ignore' | 'modes' | 'label'>;

function contextRef(path: string, { ignore, modes, label }: RefOptions): TreeRef {
  return { root: { kind: 'directory', path, readOnly: true }, ignore, resetOwner: true, modes, label };
}

/** What steps will select, as far as their Dockerfile tells before any image is known; the same texts as theirs. */
export function selectionsOf(
  copies: readonly ContextCopy[],
  { folder, ignore, identity }: OpenContext,
  modes: ContextModes | undefined,
): readonly Selection[] {
  if (folder === undefined || identity !== undefined) return []; // what has an identity need not be read
  const tree = contextRef(folder, { ignore, modes, label: 'the build context' });
  return copies.map(({ paths, parents, exclude }) => ({
    sources: paths.map((pattern) => ({ kind: 'tree', tree, pattern })),
    parents,
    exclude,
  }));
}

/** With ignore files it would be that of other content. */
function identityIn({ identity, ignore }: OpenTree, { modes }: TreeOffer): string | undefined {
  if (identity === undefined || ignore.length > 0) return undefined;
  return modes === undefined ? identity : JSON.stringify([identity, modes]);
}

type OpenTree = Pick<ContextTree, 'ignore' | 'identity' | 'open'>;

function mainTree({ context: { folder, ignore, identity } }: TreeOffer): OpenTree {
  if (folder === undefined) {
    throw new BuildError(
      'CONTEXT_NOT_FOUND',
      'there is no build context to copy from: the Dockerfile came alone on standard input',
    );
  }
  return { ignore, identity, open: () => Promise.resolve(folder) };
}

function namedTree(name: string, { folders }: TreeOffer): ContextTree {
  const named = folders.get(name.toLowerCase());
  if (named === undefined) throw new BuildError('CONTEXT_NOT_FOUND', `no build context is called ${name}`);
  return named;
}

/** The sources of a COPY or ADD step as the workshop takes them. Trees that are the same are the same object. */
export async function openSources(step: CopyStep, offer: TreeOffer): Promise<readonly SourceRef[]> {
  const opened = new Map<string, Promise<TreeRef>>();
  const refs: SourceRef[] = [];
  for (const source of step.sources) refs.push(await openSource(source, offer, opened));
  return refs;
}

async function openSource(
  source: CopySource,
  offer: TreeOffer,
  opened: Map<string, Promise<TreeRef>>,
): Promise<SourceRef> {
  switch (source.kind) {
    case 'path': {
      const key = JSON.stringify(source.from);
      const tree = opened.get(key) ?? treeOf(source.from, offer).open();
      opened.set(key, tree);
      return { kind: 'tree', tree: await tree, pattern: source.path };
    }
    case 'inline': {
      const folder = join(await offer.lane.scratch(), 'inline');
      await writeInline(folder, source.name, source.content);
      return { kind: 'file', folder, name: source.name };
    }
    case 'url': {
      const file = offer.remote.url(source);
      return { kind: 'file', folder: await file.open(), name: file.name };
    }
    case 'git': {
      const tree = opened.get(JSON.stringify(source)) ?? gitTree(source, offer);
      opened.set(JSON.stringify(source), tree);
      return { kind: 'tree', tree: await tree, pattern: '/' };
    }
  }
}

/** As `factKeyOf`, for what a bind mount shows of a step's result, a commit or a download. */
export function bindFactKey(identity: string, source: string): string {
  return JSON.stringify([selectionForm, 'shown', identity, source]);
}

async function gitTree(source: GitAdd, offer: TreeOffer): Promise<TreeRef> {
  const path = await gitSourceOf(source, offer).open();
  return {
    root: { kind: 'directory', path, readOnly: true },
    resetOwner: true,
    label: 'the git repository that it adds',
  };
}

type GitAdd = AddSource & { kind: 'git' };

/** The repository of an ADD. */
export function gitSourceOf({ url, checksum, keepGitDir }: GitAdd, { remote }: Pick<TreeOffer, 'remote'>): GitSource {
  const parsed = parseGitUrl(url);
  if (parsed === undefined) throw new Error(`${url} was a git URL in the graph`);
  return remote.git({ url: parsed, checksum, keepGitDir }, 'dockerfile');
}

/**
 * A text that stands for the selection's content, where that is known without the files: results of steps, commits, downloads whose
 * digest is known. Undefined where something comes from a folder that anybody may change.
 */
export async function factKeyOf(step: CopyStep, offer: TreeOffer): Promise<string | undefined> {
  const parts: unknown[] = [selectionForm, step.parents, step.exclude];
  for (const source of step.sources) {
    const identity = await identityOf(source, offer);
    if (identity === undefined) return undefined;
    parts.push(identity);
  }
  return JSON.stringify(parts);
}

async function identityOf(source: CopySource, offer: TreeOffer): Promise<unknown> {
  switch (source.kind) {
    case 'path': {
      const { chainId, identity = chainId } = treeOf(source.from, offer);
      return identity === undefined ? undefined : [identity, source.path];
    }
    case 'inline':
      return ['inline', source.name, digestOf(encodeText(source.content))];
    case 'url':
      return offer.remote.url(source).identity();
    case 'git':
      return gitSourceOf(source, offer).identity();
  }
}
