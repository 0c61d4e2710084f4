import { isDigest } from '../../oci/index.ts';
import { messageOf } from '../../errors.ts';
import type { Endpoint, Mirror, SettledEndpoint } from '../config/endpoint.ts';
import { discard } from '../http/body.ts';
import type { HttpResponse, Source } from '../http/dispatch.ts';
import { redactText } from '../redact.ts';
import type { Call } from './connection.ts';
import type { MirrorHealth, MirrorMemory } from './mirror-health.ts';

export interface MirrorsOptions {
  /** In their order. */
  readonly mirrors: readonly Mirror[];
  readonly health: MirrorHealth;
  /** Longest wait for one that does not answer at all; milliseconds. */
  readonly limit: number;
  /** Sends one call to a mirror, once. */
  readonly send: (endpoint: SettledEndpoint, request: Call) => Promise<HttpResponse>;
  readonly warn: ((message: string) => void) | undefined;
}

/** What a call reads, if it is something that a mirror may serve. */
interface Wanted {
  readonly kind: 'digests' | 'tags';
  readonly reference: string;
}

/**
 * The mirrors of one repository. They are asked in order for content that a digest proves, and those that are allowed to
 * for what a tag stands for; whoever has nothing, or not what was asked for, is passed over.
 */
export class Mirrors {
  readonly #options: MirrorsOptions;
  readonly #members: readonly Member[];

  constructor(options: MirrorsOptions) {
    this.#options = options;
    this.#members = options.mirrors.map((mirror) => new Member(mirror, options.health.memoryOf(mirror.endpoint)));
  }

  /** The answer of a mirror; undefined where none has what is asked for, and the registry itself is to be asked. */
  async read(request: Call): Promise<HttpResponse | undefined> {
    const wanted = wantedBy(request);
    if (wanted === undefined) return undefined;
    const members = this.#members.filter((member) => member.serves(wanted));
    // all at once, so that several dead ones cost no more than one
    const alive = members.map(({ mirror }) => this.#alive(mirror.endpoint));
    for (const [index, member] of members.entries()) {
      const endpoint = await alive[index];
      request.signal?.throwIfAborted();
      const response = endpoint === undefined ? undefined : await this.#ask(member, endpoint, request);
      if (response === undefined) continue;
      if (wanted.kind === 'tags') member.memory.resolved = true;
      return { ...response, source: this.#source(member) };
    }
    return undefined;
  }

  #alive(endpoint: Endpoint): Promise<SettledEndpoint | undefined> {
    const { health, limit } = this.#options;
    const report = (why: string): void => this.#report(endpoint, why);
    return health.alive(endpoint, { limit: endpoint.reach.connectTimeout ?? limit, report });
  }

  /** An answer with content; undefined for anything else. */
  async #ask(member: Member, endpoint: SettledEndpoint, request: Call): Promise<HttpResponse | undefined> {
    const { health, send } = this.#options;
    let response: HttpResponse;
    try {
      response = await send(endpoint, { ...request, attempts: 1 });
    } catch (error) {
      request.signal?.throwIfAborted();
      health.rest(endpoint);
      this.#report(endpoint, redactText(messageOf(error)));
      return undefined;
    }
    const { status } = response;
    if (status === 200 || status === 206) return response;
    await discard(response);
    if (status === 401 || status === 403) {
      member.memory.refused = true;
      this.#options.warn?.(`mirror ${endpoint.host} is not used for ${endpoint.repository}: status ${status}`);
    } else if (status === 429 || status >= 500) {
      health.rest(endpoint);
      this.#report(endpoint, `status ${status}`);
    }
    return undefined;
  }

  #source(member: Member): Source {
    const { endpoint } = member.mirror;
    return {
      failed: () => {
        this.#options.health.rest(endpoint);
        this.#report(endpoint, 'the connection broke');
      },
      lied: (reference) => {
        if (member.memory.lies.has(reference)) return;
        member.memory.lies.add(reference);
        this.#options.warn?.(`mirror ${endpoint.host} gave something else for ${reference}`);
      },
    };
  }

  #report(endpoint: Endpoint, why: string): void {
    this.#options.warn?.(`mirror ${endpoint.host} is passed over for a while: ${why}`);
  }
}

/** A mirror, and what this process learned of it for this repository. */
class Member {
  readonly mirror: Mirror;
  readonly memory: MirrorMemory;

  constructor(mirror: Mirror, memory: MirrorMemory) {
    this.mirror = mirror;
    this.memory = memory;
  }

  serves({ kind, reference }: Wanted): boolean {
    const { lies, refused, resolved } = this.memory;
    if (refused || lies.has(reference)) return false;
    const { digests, tags } = this.mirror.serves;
    return kind === 'tags' ? tags : digests || (tags && resolved);
  }
}

function wantedBy({ method, path }: Call): Wanted | undefined {
  if ((method !== 'GET' && method !== 'HEAD') || typeof path !== 'string') return undefined;
  const [kind = '', reference = '', ...more] = path.split('/');
  if (more.length > 0 || (kind !== 'blobs' && kind !== 'manifests')) return undefined;
  if (isDigest(reference)) return { kind: 'digests', reference };
  return kind === 'manifests' ? { kind: 'tags', reference } : undefined;
}
