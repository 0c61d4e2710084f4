import type { ContainerMount } from '../../container/index.ts';
import type { RunMount, RunStep } from '../../dockerfile/index.ts';
import type { CacheMountUse, CacheMountWant } from '../../store/index.ts';
import type { OnBuildEvent } from '../events.ts';
import { treeOf, type TreeOffer } from '../contexts/trees.ts';
import type { Workshop } from '../workshop/workshop.ts';

export type CacheMount = RunMount & { readonly type: 'cache' };

export interface CachesOptions {
  readonly offer: TreeOffer;
  readonly workshop: Workshop;
  /** Content digests of what mounts show or begin with, by target. */
  readonly digests: Readonly<Record<string, string>>;
  readonly onEvent: OnBuildEvent;
  readonly signal: AbortSignal;
}

/** The cache mounts of a step, taken for it alone or with others. */
export interface OpenCaches extends AsyncDisposable {
  readonly mounts: readonly ContainerMount[];
}

/**
 * Takes the folders that a step wants, and fills those that begin with the content of a tree.
 * @throws BuildError SOURCE_NOT_FOUND
 */
export async function openCaches(step: RunStep, options: CachesOptions): Promise<OpenCaches> {
  const { offer, onEvent, signal } = options;
  const wanted = step.mounts.filter((mount) => mount.type === 'cache');
  const use = await offer.store.cacheMounts.acquire(
    wanted.map((mount) => wantOf(mount, options.digests)),
    {
      signal,
      onWait: (id) => {
        const message = `${step.title}: waits for the cache mount ${JSON.stringify(id)}, which another step uses`;
        onEvent({ type: 'note', level: 'info', message });
      },
    },
  );
  try {
    await fillNew(wanted, use, options);
  } catch (error) {
    await use[Symbol.asyncDispose]();
    throw error;
  }
  return {
    mounts: wanted.map((mount, index): ContainerMount => {
      const source = use.mounts[index]?.folder ?? '';
      return { kind: 'bind', source, target: mount.target, readOnly: mount.readOnly };
    }),
    [Symbol.asyncDispose]: () => use[Symbol.asyncDispose](),
  };
}

function wantOf(mount: CacheMount, digests: Readonly<Record<string, string>>): CacheMountWant {
  return {
    id: mount.id,
    origin: originOf(mount, digests[mount.target]),
    sharing: mount.sharing,
    readOnly: mount.readOnly,
    owner: { uid: mount.uid ?? 0, gid: mount.gid ?? 0, mode: mount.mode ?? 0o755 },
    filled: mount.from !== undefined,
  };
}

/** What began with other content or for another user is another folder, as in BuildKit. */
function originOf({ from, uid, gid, mode }: CacheMount, digest: string | undefined): string {
  const parts = {
    from: from === undefined ? undefined : digest,
    uid: uid === 0 ? undefined : uid,
    gid: gid === 0 ? undefined : gid,
    mode: mode === undefined || mode === 0o755 ? undefined : mode.toString(8),
  };
  return Object.entries(parts)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join(',');
}

async function fillNew(wanted: readonly CacheMount[], use: CacheMountUse, options: CachesOptions): Promise<void> {
  const { offer, workshop, signal } = options;
  for (const [index, mount] of wanted.entries()) {
    const held = use.mounts[index];
    if (mount.from === undefined || held?.isNew !== true) continue;
    const { uid, gid, mode } = mount;
    await workshop.run(
      {
        kind: 'fill',
        tree: await treeOf(mount.from, offer).open(),
        source: mount.source ?? '/',
        folder: held.folder,
        owner: { uid, gid, mode },
        scratch: await offer.lane.scratch(),
      },
      { signal },
    );
  }
  use.ready();
}
