import { messageOf } from '../../errors.ts';
import type { Endpoint, SettledEndpoint } from '../config/endpoint.ts';
import { baseUrlOf } from '../host.ts';
import { discard } from '../http/body.ts';
import type { Clock } from '../http/clock.ts';
import type { Dispatch } from '../http/dispatch.ts';
import { asRegistryError } from '../http/network-error.ts';
import { redactText } from '../redact.ts';
import type { SchemeProbe } from './scheme-probe.ts';

/** How long a mirror that failed is passed over; milliseconds. */
const restTime = 60_000;

type State =
  | { readonly kind: 'unknown' }
  | Alive
  | { readonly kind: 'resting'; readonly until: number }
  | { readonly kind: 'asked'; readonly answer: Promise<SettledEndpoint | undefined> };

interface Alive {
  readonly kind: 'alive';
  readonly scheme: 'https' | 'http';
}

/**
 * Which mirrors of a process answer. A mirror is asked once, before its first use, whether it is there (`GET /v2/`, which
 * a cache answers by itself, however slow its own upstream is), so that one that is not costs one short wait for all
 * requests together. Afterwards it is passed over, and asked again without anybody waiting for it.
 */
export class MirrorHealth {
  readonly #dispatch: Dispatch;
  readonly #probe: SchemeProbe;
  readonly #clock: Clock;
  readonly #states = new Map<string, State>();
  readonly #memories = new Map<string, MirrorMemory>();

  constructor(dispatch: Dispatch, probe: SchemeProbe, clock: Clock) {
    this.#dispatch = dispatch;
    this.#probe = probe;
    this.#clock = clock;
  }

  /** What is remembered of a mirror for one repository, by all who read that. */
  memoryOf(endpoint: Endpoint): MirrorMemory {
    const key = `${keyOf(endpoint)}${endpoint.path}/${endpoint.repository}?${endpoint.namespace ?? ''}`;
    const known = this.#memories.get(key) ?? { lies: new Set<string>(), refused: false, resolved: false };
    this.#memories.set(key, known);
    return known;
  }

  /** A mirror as it is to be asked now; undefined where it is passed over. */
  async alive(endpoint: Endpoint, asking: Asking): Promise<SettledEndpoint | undefined> {
    const key = keyOf(endpoint);
    const state = this.#states.get(key) ?? { kind: 'unknown' };
    if (state.kind === 'alive') return { ...endpoint, scheme: state.scheme };
    if (state.kind === 'unknown') return this.#ask(endpoint, asking);
    if (state.kind === 'asked') {
      const answer = await state.answer;
      return answer === undefined ? undefined : { ...endpoint, scheme: answer.scheme };
    }
    if (state.until <= this.#clock.now()) {
      this.rest(endpoint);
      void this.#ping(endpoint, asking.limit).then((answer) => 'why' in answer || this.#remember(endpoint, answer));
    }
    return undefined;
  }

  /** After a failure that has nothing to do with what was asked for. */
  rest(endpoint: Endpoint): void {
    this.#states.set(keyOf(endpoint), { kind: 'resting', until: this.#clock.now() + restTime });
  }

  #remember(endpoint: Endpoint, { scheme }: SettledEndpoint): void {
    this.#states.set(keyOf(endpoint), { kind: 'alive', scheme });
  }

  #ask(endpoint: Endpoint, { limit, report }: Asking): Promise<SettledEndpoint | undefined> {
    const answer = this.#ping(endpoint, limit).then((outcome) => {
      if (!('why' in outcome)) {
        this.#remember(endpoint, outcome);
        return outcome;
      }
      this.rest(endpoint);
      report(outcome.why);
      return undefined;
    });
    this.#states.set(keyOf(endpoint), { kind: 'asked', answer });
    return answer;
  }

  /** The mirror, or why it does not answer. */
  async #ping(endpoint: Endpoint, limit: number): Promise<SettledEndpoint | { readonly why: string }> {
    const signal = AbortSignal.timeout(limit);
    try {
      const settled = await this.#probe.settle(endpoint, signal);
      const { reach, headers } = settled;
      const response = await this.#dispatch({
        method: 'GET',
        url: new URL(`${settled.path}/`, baseOf(settled)),
        headers: { 'user-agent': 'slipway', ...headers },
        attempts: 1,
        reach: { ...reach, headersTimeout: limit },
        signal,
      });
      await discard(response);
      // the gateway before it is there, and says that the mirror is not
      return response.status >= 500 ? { why: `status ${response.status}` } : settled;
    } catch (error) {
      if (signal.aborted) return { why: `no answer within ${limit / 1000} s` };
      return { why: redactText(messageOf(asRegistryError(error, endpoint.host))) };
    }
  }
}

/** What a process learned of a mirror for one repository. */
export interface MirrorMemory {
  /** References for which it gave wrong content. */
  readonly lies: Set<string>;
  /** It does not let us in. */
  refused: boolean;
  /** It told what a tag stands for: a mirror that is for tags only gives the content of such images too. */
  resolved: boolean;
}

/** Scheme, host and port: what fails or lives together. */
function keyOf({ scheme, host }: Endpoint): string {
  return `${scheme}://${host}`;
}

export interface Asking {
  /** Longest wait, milliseconds. */
  readonly limit: number;
  /** Told why a mirror is passed over, once for each time that it stops answering. */
  readonly report: (why: string) => void;
}

export function baseOf(endpoint: SettledEndpoint): URL {
  return baseUrlOf(endpoint.host, endpoint.scheme);
}
