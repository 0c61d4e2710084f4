import { createHash, type Hash } from 'node:crypto';
import { createDecompressor, type TarEntry, TarReader } from '../../layer/index.ts';

/** What a layer says of one path. */
interface Said {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly time: string;
  readonly link: string;
  readonly device: string;
  readonly attributes: string;
  readonly content: string;
}

/** Something in which two layers differ. */
export interface LayerDifference {
  /** Without a leading slash. */
  readonly path: string;
  /** `added` and `removed` are from the first layer to the second. */
  readonly what: keyof Said | 'added' | 'removed';
}

type Chunks = AsyncIterable<Uint8Array>;

/**
 * In what two layers differ, by path; compressed or not. Names that are no UTF-8 are shown as well as they can be.
 * @throws LayerError for what is no layer
 */
export async function compareLayers(first: Chunks, second: Chunks): Promise<readonly LayerDifference[]> {
  const [before, after] = [await readLayer(first), await readLayer(second)];
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((name): LayerDifference[] => {
    const [was, is] = [before.get(name), after.get(name)];
    const path = Buffer.from(name, 'latin1').toString('utf8');
    if (was === undefined) return [{ path, what: 'added' }];
    if (is === undefined) return [{ path, what: 'removed' }];
    const differing = (Object.keys(was) as (keyof Said)[]).find((each) => was[each] !== is[each]);
    return differing === undefined ? [] : [{ path, what: differing }];
  });
}

/** By name, as bytes. */
async function readLayer(source: Chunks): Promise<ReadonlyMap<string, Said>> {
  const found = new Map<string, Said>();
  let open: { readonly entry: TarEntry; readonly sum: Hash } | undefined;
  const reader = new TarReader({
    entry: (entry) => {
      open = { entry, sum: createHash('sha256') };
    },
    data: (chunk) => void open?.sum.update(chunk),
    hole: (length) => void open?.sum.update(`hole ${length}`),
    endEntry: () => {
      if (open !== undefined) found.set(open.entry.name.toString('latin1'), saidOf(open.entry, open.sum.digest('hex')));
    },
  });
  const decompressor = createDecompressor((bytes) => reader.write(bytes));
  try {
    for await (const chunk of source) await decompressor.write(Buffer.from(chunk));
    await decompressor.end();
  } finally {
    decompressor.close();
  }
  reader.end();
  return found;
}

function saidOf(entry: TarEntry, content: string): Said {
  const { type, mode, uid, gid, mtimeNs, linkName, device, xattrs } = entry;
  const attributes = [...(xattrs ?? [])].map(([name, value]) => `${name}=${value.toString('hex')}`);
  return {
    type,
    mode: mode.toString(8),
    owner: `${uid}:${gid}`,
    link: linkName?.toString('latin1') ?? '',
    device: device === undefined ? '' : `${device.major}:${device.minor}`,
    attributes: attributes.sort().join(' '),
    content,
    time: String(mtimeNs),
  };
}
