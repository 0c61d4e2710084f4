import { join } from 'node:path';
import type { CopySource, CopyStep, StepId, TreeSource } from '../dockerfile/index.ts';
import { chainIdOfAll, type Digest } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { type OpenContext, writeInline } from './context.ts';
import { selectionForm } from './copy/selection-sum.ts';
import type { ContextModes } from './copy/tree.ts';
import { download } from './download.ts';
import { BuildError } from './error.ts';
import type { SecretSources } from './mounts/secrets.ts';
import type { SourceRef, TreeRef } from './jobs.ts';
import type { Lane } from './lane.ts';

/** What the build may read from: contexts by name, and results of earlier steps. */
export interface TreeOffer {
  readonly store: Store;
  readonly lane: Lane;
  readonly context: OpenContext;
  readonly secrets: SecretSources;
  /** How modes of contexts are taken. */
  readonly modes?: ContextModes | undefined;
  /** Named contexts that are folders, by name. */
  readonly folders: ReadonlyMap<string, { readonly folder: string; readonly ignore: readonly string[] }>;
  layersOf(step: StepId): readonly Digest[];
  /** Makes sure that the snapshots of a stack of layers are there. */
  unpack(diffIds: readonly Digest[]): Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/** The tree behind a source. A step's snapshot is unpacked only when `open` is called. */
export interface Tree {
  /** Content identity where it is known without reading: a step's chainID. */
  readonly chainId: Digest | 'empty' | undefined;
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
  const named = name === undefined ? undefined : offer.folders.get(name.toLowerCase());
  if (name !== undefined && named === undefined)
    throw new BuildError('CONTEXT_NOT_FOUND', `no build context is called ${name}`);
  const folder = named?.folder ?? offer.context.folder;
  if (folder === undefined) {
    throw new BuildError(
      'CONTEXT_NOT_FOUND',
      'there is no build context to copy from: the Dockerfile came alone on standard input',
    );
  }
  const tree: TreeRef = {
    root: { kind: 'directory', path: folder, readOnly: true },
    ignore: named?.ignore ?? offer.context.ignore,
    resetOwner: true,
    modes: offer.modes,
    label: name === undefined ? 'the build context' : `the build context ${name}`,
  };
  return { chainId: undefined, open: () => Promise.resolve(tree) };
}

/** The sources of a COPY or ADD step as the workshop takes them. Trees that are the same are the same object. */
export async function openSources(step: CopyStep, offer: TreeOffer): Promise<readonly SourceRef[]> {
  const opened = new Map<string, Promise<TreeRef>>();
  const refs: SourceRef[] = [];
  for (const source of step.sources) refs.push(await openSource(source, step, offer, opened));
  return refs;
}

async function openSource(
  source: CopySource,
  step: CopyStep,
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
      const folder = await offer.lane.scratch();
      return {
        kind: 'file',
        folder,
        name: await download(source.url, folder, { checksum: source.checksum, signal: offer.signal }),
      };
    }
    case 'git':
      throw new BuildError(
        'UNSUPPORTED',
        `${step.title}: ADD from a git repository is not supported yet: ${source.url}`,
        {
          hint: 'clone it before the build and give it as a named context (--build-context)',
        },
      );
  }
}

/** As `factKeyOf`, for what a bind mount shows of a step's result. */
export function bindFactKey(chainId: Digest | 'empty', source: string): string {
  return JSON.stringify([selectionForm, 'bind', chainId, source]);
}

/** A text that stands for the selection's content, where all of it comes from results of steps; else undefined. */
export function factKeyOf(step: CopyStep, offer: TreeOffer): string | undefined {
  const parts: unknown[] = [selectionForm, step.parents, step.exclude];
  for (const source of step.sources) {
    if (source.kind !== 'path') return undefined;
    const { chainId } = treeOf(source.from, offer);
    if (chainId === undefined) return undefined;
    parts.push([chainId, source.path]);
  }
  return JSON.stringify(parts);
}
