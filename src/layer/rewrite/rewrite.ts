import { type ByteName, bytesOf } from '../apply/names.ts';
import { createDecompressor } from '../compression/decompress.ts';
import type { TarEntry } from '../entry.ts';
import { TarReader, type TarSink } from '../tar/reader.ts';
import { ChangingSink } from './change-layer.ts';
import type { Rewriting } from './contract.ts';
import { MergedTree, renamed } from './merged-tree.ts';
import { TarOutput } from './tar-output.ts';

/** Opens a layer's blob; called once for each pass over it. */
export type OpenLayer = (path: string) => AsyncIterable<Uint8Array>;

/**
 * The tar of a rewritten layer. The same layers and changes give the same bytes.
 * @throws LayerError
 */
export async function* rewriteLayers(how: Rewriting, open: OpenLayer): AsyncGenerator<Buffer> {
  const out = new TarOutput();
  if (how.kind === 'change') yield* through(open(how.layer), new ChangingSink(out, how.changes), out);
  else yield* flatten(how.layers, open, out);
  out.end();
  yield* out.take();
}

/** Sends a layer through a sink and gives what that writes meanwhile. */
async function* through(source: AsyncIterable<Uint8Array>, sink: TarSink, out: TarOutput): AsyncGenerator<Buffer> {
  const reader = new TarReader(sink);
  const decompressor = createDecompressor((bytes) => reader.write(bytes));
  try {
    for await (const chunk of source) {
      for (const step of decompressor.steps(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) {
        await step;
        yield* out.take();
      }
    }
    await decompressor.end();
    reader.end();
    yield* out.take();
  } finally {
    decompressor.close();
  }
}

/**
 * Two passes: the first finds out which entries are left of the whole, the second writes them. Folders come first, then each layer's
 * files in their order; of several names of a file the first has the content.
 */
async function* flatten(layers: readonly string[], open: OpenLayer, out: TarOutput): AsyncGenerator<Buffer> {
  const tree = new MergedTree();
  for (const layer of layers) {
    tree.beginLayer();
    const sink = { entry: (entry: TarEntry) => tree.add(entry), data() {}, hole() {}, endEntry() {} };
    for await (const _ of through(open(layer), sink, out));
  }
  const files = layers.map(() => new Map<number, ByteName[]>());
  for (const [path, node] of tree.names()) {
    if (node.entry.type === 'directory') {
      out.begin(renamed(node.entry, path));
      out.finishEntry();
    } else {
      const names = files[node.layer]?.get(node.ordinal);
      if (names === undefined) files[node.layer]?.set(node.ordinal, [path]);
      else names.push(path);
    }
  }
  yield* out.take();
  for (const [at, layer] of layers.entries()) {
    const left = files[at];
    if (left !== undefined && left.size > 0) yield* through(open(layer), new PickingSink(left, out), out);
  }
}

/** Writes the entries that are left, under the names that they have in the end. */
class PickingSink implements TarSink {
  readonly #left: ReadonlyMap<number, readonly ByteName[]>;
  readonly #out: TarOutput;
  #ordinal = -1;
  #picked: { readonly entry: TarEntry; readonly names: readonly ByteName[] } | undefined;

  constructor(left: ReadonlyMap<number, readonly ByteName[]>, out: TarOutput) {
    this.#left = left;
    this.#out = out;
  }

  entry(entry: TarEntry): void {
    this.#ordinal += 1;
    const names = this.#left.get(this.#ordinal);
    this.#picked = names && { entry, names };
    if (names?.[0] !== undefined) this.#out.begin(renamed(entry, names[0]));
  }

  data(bytes: Buffer): void {
    if (this.#picked !== undefined) this.#out.data(bytes);
  }

  hole(length: number): void {
    if (this.#picked !== undefined) this.#out.hole(length);
  }

  endEntry(): void {
    if (this.#picked === undefined) return;
    this.#out.finishEntry();
    const { entry, names } = this.#picked;
    const [first = '', ...others] = names;
    for (const name of others) {
      this.#out.begin({ ...renamed(entry, name), type: 'hardlink', size: 0, linkName: bytesOf(first) });
      this.#out.finishEntry();
    }
  }
}
