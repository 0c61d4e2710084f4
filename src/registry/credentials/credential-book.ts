import { systemClock, type Clock } from '../http/clock.ts';
import type { Credential } from './credential.ts';
import { credentialProgram } from './credential-program.ts';
import type { CredentialProgram } from './program-protocol.ts';
import { type CredentialProvider, type CredentialQuery, findCredential, type FoundCredential } from './lookup.ts';
import { type CredentialEnvironment, processEnvironment } from './sources.ts';

export interface CredentialBookOptions {
  /** The only file to look into (`--authfile`). */
  readonly authFile?: string | undefined;
  readonly environment?: CredentialEnvironment | undefined;
  /** registries.conf's `credential-helpers`; the files alone unless given. */
  readonly helpers?: (() => readonly string[] | undefined) | undefined;
  /** Services whose credentials can be made; asked where the user configured none. */
  readonly providers?: readonly CredentialProvider[] | undefined;
  readonly program?: ((suffix: string) => CredentialProgram) | undefined;
  readonly clock?: Clock | undefined;
}

/** An answer of a credential program serves so long; some of them ask a service or a person. Milliseconds. */
const programMemory = 5 * 60_000;

/**
 * The user's credentials as one process looks them up: files are read at each lookup, since a login may come meanwhile;
 * programs are asked once in a while and not for each of a hundred repositories; each warning comes once.
 */
export class CredentialBook {
  readonly #options: CredentialBookOptions;
  readonly #clock: Clock;
  readonly #answers = new Map<string, { readonly at: number; readonly answer: Promise<Credential | undefined> }>();
  readonly #warned = new Set<string>();

  constructor(options: CredentialBookOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * The credential for a repository, and where it was found; undefined for none.
   * @throws RegistryError CREDENTIALS
   */
  find(
    query: CredentialQuery,
    {
      warn,
      signal,
    }: { readonly warn?: ((message: string) => void) | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<FoundCredential | undefined> {
    const { environment, authFile, helpers, providers } = this.#options;
    return findCredential(query, {
      environment: environment ?? processEnvironment(authFile),
      helpers: helpers?.(),
      providers,
      signal,
      program: (suffix) => this.#remembering(suffix),
      warn: (message) => {
        if (warn === undefined || this.#warned.has(message)) return;
        this.#warned.add(message);
        warn(message);
      },
    });
  }

  #remembering(suffix: string): CredentialProgram {
    const program = (this.#options.program ?? credentialProgram)(suffix);
    return { ...program, get: (host, signal) => this.#ask(`${suffix} ${host}`, () => program.get(host, signal)) };
  }

  #ask(key: string, ask: () => Promise<Credential | undefined>): Promise<Credential | undefined> {
    const known = this.#answers.get(key);
    if (known !== undefined && this.#clock.now() - known.at < programMemory) return known.answer;
    const answer = ask();
    this.#answers.set(key, { at: this.#clock.now(), answer });
    return answer;
  }
}

let shared: CredentialBook | undefined;

/** The book of callers that bring none. */
export function sharedBook(): CredentialBook {
  shared ??= new CredentialBook();
  return shared;
}
