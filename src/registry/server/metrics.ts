import type { ServedRequest } from './layers/hear-requests.ts';

/** Seconds; blobs take long, manifests must not. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** What is asked of the registry at the time its metrics are read. */
export interface Gauges {
  readonly openUploads: number;
  readonly repositories: number;
  readonly storedBytes: number;
}

/** Counts requests, in the text format of Prometheus. Labels are of small closed sets: no client can make up new ones. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #received = new Map<string, number>();
  readonly #sent = new Map<string, number>();
  readonly #durations = new Map<string, Histogram>();
  readonly #startTime = Date.now() / 1000;
  #inFlight = 0;

  begin(): void {
    this.#inFlight += 1;
  }

  end(served: ServedRequest): void {
    this.#inFlight -= 1;
    const route = served.route ?? 'other';
    const method = knownMethods.has(served.method) ? served.method : 'other';
    add(this.#requests, labels({ method, route, status: `${served.status}` }), 1);
    add(this.#received, labels({ route }), served.bytesIn);
    add(this.#sent, labels({ route }), served.bytesOut);
    observe(this.#durations, labels({ method, route }), served.milliseconds / 1000);
  }

  text({ openUploads, repositories, storedBytes }: Gauges): string {
    const { user, system } = process.cpuUsage();
    const gauge = (name: string, help: string, value: number): string => family(name, 'gauge', help, [['', value]]);
    return [
      family('slipway_registry_requests_total', 'counter', 'Requests answered.', this.#requests),
      family('slipway_registry_received_bytes_total', 'counter', 'Bytes of bodies that came in.', this.#received),
      family('slipway_registry_sent_bytes_total', 'counter', 'Bytes of bodies that went out.', this.#sent),
      histogram('slipway_registry_request_duration_seconds', 'Until the answer had left.', this.#durations),
      gauge('slipway_registry_requests_in_flight', 'Requests being answered.', this.#inFlight),
      gauge('slipway_registry_uploads_open', 'Uploads begun and not ended.', openUploads),
      gauge('slipway_registry_repositories', 'Repositories that hold something.', repositories),
      gauge('slipway_registry_stored_bytes', 'Content and uploads, shared content once.', storedBytes),
      gauge('process_start_time_seconds', 'When the process began, since 1970.', this.#startTime),
      gauge('process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss()),
      family('process_cpu_seconds_total', 'counter', 'CPU used.', [['', (user + system) / 1e6]]),
    ].join('');
  }
}

function labels(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');
}

function add(counters: Map<string, number>, key: string, value: number): void {
  counters.set(key, (counters.get(key) ?? 0) + value);
}

function observe(histograms: Map<string, Histogram>, key: string, seconds: number): void {
  const found = histograms.get(key) ?? { counts: buckets.map(() => 0), sum: 0, count: 0 };
  histograms.set(key, found);
  found.sum += seconds;
  found.count += 1;
  const at = buckets.findIndex((bound) => seconds <= bound);
  if (at >= 0) found.counts[at] = (found.counts[at] ?? 0) + 1;
}

function family(name: string, type: string, help: string, samples: Iterable<readonly [string, number]>): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${[...samples].map(([key, value]) => sample(name, key, value)).join('')}`;
}

function histogram(name: string, help: string, histograms: ReadonlyMap<string, Histogram>): string {
  const lines = [...histograms].map(([key, { counts, sum, count }]) => {
    let below = 0;
    const cumulative = counts.map((each, at) => {
      below += each;
      return sample(`${name}_bucket`, `${key},le="${buckets[at]}"`, below);
    });
    const last = sample(`${name}_bucket`, `${key},le="+Inf"`, count);
    return [...cumulative, last, sample(`${name}_sum`, key, sum), sample(`${name}_count`, key, count)].join('');
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.join('')}`;
}

function sample(name: string, key: string, value: number): string {
  return `${name}${key === '' ? '' : `{${key}}`} ${value}\n`;
}
