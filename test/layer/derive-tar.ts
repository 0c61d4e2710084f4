import { derivePieces } from '../../src/layer/index.ts';

/** The tar of a layer again, in buffers that can be kept. */
export function* deriveTar(headerList: string, folder: string): Generator<Buffer> {
  for (const piece of derivePieces(headerList, folder)) yield Buffer.from(piece);
}
