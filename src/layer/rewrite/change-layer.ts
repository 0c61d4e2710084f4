import { type ByteName, byteName, byteNameOfPath, componentsOf } from '../apply/names.ts';
import type { TarEntry } from '../entry.ts';
import { LayerError } from '../error.ts';
import type { TarSink } from '../tar/reader.ts';
import type { LayerChanges } from './contract.ts';
import type { TarOutput } from './tar-output.ts';

const nanoseconds = 1_000_000_000n;

/** Takes the entries of a layer and writes them, changed. */
export class ChangingSink implements TarSink {
  readonly #out: TarOutput;
  readonly #changes: LayerChanges;
  readonly #stripped: readonly ByteName[];
  #passes = false;

  constructor(out: TarOutput, changes: LayerChanges) {
    this.#out = out;
    this.#changes = changes;
    this.#stripped = (changes.strip ?? []).map((path) => componentsOf(byteNameOfPath(path)).join('/'));
  }

  entry(entry: TarEntry): void {
    const path = componentsOf(byteName(entry.name)).join('/');
    this.#passes = !this.#isStripped(path);
    if (this.#passes) this.#out.begin(this.#changed(entry, path));
  }

  data(bytes: Buffer): void {
    if (this.#passes) this.#out.data(bytes);
  }

  hole(length: number): void {
    if (this.#passes) this.#out.hole(length);
  }

  endEntry(): void {
    if (this.#passes) this.#out.finishEntry();
  }

  #changed(entry: TarEntry, path: ByteName): TarEntry {
    if (entry.type === 'hardlink' && this.#isStripped(targetOf(entry))) {
      // its content went with what is left out
      const link = JSON.stringify(Buffer.from(path, 'latin1').toString());
      throw new LayerError('LINK_TARGET_MISSING', `${link} is a hard link to a file that is to be left out`);
    }
    const { times } = this.#changes;
    if (times === undefined) return entry;
    const after = times.after === undefined ? undefined : BigInt(times.after) * nanoseconds;
    return after !== undefined && entry.mtimeNs <= after
      ? entry
      : { ...entry, mtimeNs: BigInt(times.set) * nanoseconds };
  }

  #isStripped(path: ByteName): boolean {
    return this.#stripped.some((each) => path === each || path.startsWith(`${each}/`));
  }
}

function targetOf({ linkName }: TarEntry): ByteName {
  return linkName === undefined ? '' : componentsOf(byteName(linkName)).join('/');
}
