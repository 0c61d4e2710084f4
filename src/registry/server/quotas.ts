import { ProtocolError } from './protocol-error.ts';
import type { RegistryStorage } from './storage/storage.ts';

export interface QuotaSettings {
  /** Bytes that the registry may hold, shared content counted once; no bound unless given. */
  readonly quota?: number | undefined;
  /** Bytes that one repository may hold; no bound unless given. */
  readonly repositoryQuota?: number | undefined;
}

interface QuotasOptions extends QuotaSettings {
  /** Bytes of uploads in work, of one repository or of all. */
  readonly pending: (name?: string) => number;
}

/** Milliseconds for which a measured usage is believed; what this process adds meanwhile is added to it. */
const believedFor = 30_000;

interface Measured {
  readonly at: number;
  bytes: number;
}

/**
 * Keeps the registry and its repositories within sizes. Usage is measured now and then and kept up in between, so that a
 * bound may be passed by what other processes have added since.
 */
export class Quotas {
  readonly #storage: RegistryStorage;
  readonly #settings: QuotasOptions;
  readonly #measured = new Map<string, Promise<Measured>>();

  constructor(storage: RegistryStorage, settings: QuotasOptions) {
    this.#storage = storage;
    this.#settings = settings;
  }

  /** The bytes of all repositories, not measured each time. */
  async usage(): Promise<number> {
    return (await this.#measure('', () => this.#storage.usage())).bytes;
  }

  /** @throws ProtocolError DENIED where `size` more bytes are too many for the repository or the registry */
  async check(name: string, size: number): Promise<void> {
    const { quota, pending } = this.#settings;
    await this.checkRepository(name, size);
    if (quota !== undefined && (await this.usage()) + pending() + size > quota) {
      throw denied(`this registry holds ${quota} bytes at most`, quota);
    }
  }

  /** As `check`, for bytes that the registry has already. */
  async checkRepository(name: string, size: number): Promise<void> {
    const { repositoryQuota, pending } = this.#settings;
    if (repositoryQuota === undefined) return;
    const { bytes } = await this.#measure(name, () => this.#storage.repository(name).usage());
    if (bytes + pending(name) + size <= repositoryQuota) return;
    throw denied(`${name} holds ${repositoryQuota} bytes at most`, repositoryQuota);
  }

  /** Notes what was added since usage was measured. */
  async note(name: string, size: number): Promise<void> {
    await this.noteShared('', size);
    await this.noteShared(name, size);
  }

  /** Notes what a repository got of what another one has. */
  async noteShared(name: string, size: number): Promise<void> {
    const measured = await this.#measured.get(name);
    if (measured !== undefined) measured.bytes += size;
  }

  /** What was deleted may have been shared, so it has to be measured again. */
  forget(name: string): void {
    this.#measured.delete('');
    this.#measured.delete(name);
  }

  async #measure(key: string, measure: () => Promise<number>): Promise<Measured> {
    const known = await this.#measured.get(key);
    if (known !== undefined && known.at > Date.now() - believedFor) return known;
    const measuring = measure().then((bytes) => ({ at: Date.now(), bytes }));
    this.#measured.set(key, measuring);
    measuring.catch(() => this.#measured.delete(key));
    return measuring;
  }
}

function denied(message: string, quota: number): ProtocolError {
  return new ProtocolError('DENIED', `${message}: delete something, or ask for a larger quota`, { detail: { quota } });
}
