import type { Descriptor, TransferMemory } from '../../oci/index.ts';
import { isRecord } from '../record.ts';
import { nameOf, type RepositoryConnection } from './connection.ts';
import type { UploadSession } from './upload-session.ts';

/** Smaller blobs are sent again as fast as a registry is asked about them; bytes. */
const rememberedFrom = 1024 * 1024;
/** The address of an upload is no longer than this; characters. */
const longestState = 16 * 1024;

/** Where the upload of one blob stands, kept between processes. Its address may hold a secret: it is shown to nobody. */
export class SessionMemory {
  readonly #place: string;
  readonly #descriptor: Descriptor;
  readonly #memory: TransferMemory | undefined;
  readonly #base: URL;

  constructor(connection: RepositoryConnection, descriptor: Descriptor, memory: TransferMemory | undefined) {
    this.#place = nameOf(connection);
    this.#base = connection.base;
    this.#descriptor = descriptor;
    this.#memory = descriptor.size >= rememberedFrom ? memory : undefined;
  }

  /** Whether anything is remembered at all. */
  get keeps(): boolean {
    return this.#memory !== undefined;
  }

  take(): UploadSession | undefined {
    const state = this.#memory?.take(this.#place, this.#descriptor.digest);
    return state === undefined ? undefined : this.#parse(state);
  }

  keep({ location, minimumChunk }: UploadSession): void {
    const state = JSON.stringify({ location: location.href, minimumChunk });
    if (state.length <= longestState) this.#memory?.keep(this.#place, this.#descriptor.digest, state);
  }

  forget(): void {
    this.#memory?.forget(this.#place, this.#descriptor.digest);
  }

  /** As strict as with an answer of the registry: never plain http where that is spoken to by https. */
  #parse(state: string): UploadSession | undefined {
    try {
      const value: unknown = JSON.parse(state);
      if (!isRecord(value) || typeof value['location'] !== 'string') return undefined;
      const location = URL.parse(value['location']);
      const { minimumChunk } = value;
      const isHttp =
        location?.protocol === 'https:' || (location?.protocol === 'http:' && this.#base.protocol === 'http:');
      if (location === null || !isHttp || typeof minimumChunk !== 'number') return undefined;
      return Number.isSafeInteger(minimumChunk) && minimumChunk >= 0 ? { location, minimumChunk } : undefined;
    } catch {
      return undefined;
    }
  }
}
