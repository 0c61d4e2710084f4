import type { RunStep } from '../../dockerfile/index.ts';
import { type Digest, hexOf, type Platform } from '../../oci/index.ts';
import type { ActiveSnapshot, ImageRecord, Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';
import type { NetworkMode } from '../../container/index.ts';

/**
 * The state of a failed step is an image, so that it lives and goes as images do: it is listed without a name, can be looked into and
 * built from, and `prune` removes it. What the step was is a fact of the store beside it: an image from elsewhere cannot claim to be one.
 */
const factKind = 'failed-step';

/** A failed step whose state was kept. */
export interface KeptStep {
  readonly id: Digest;
  readonly title: string;
  readonly exitCode: number;
  /** RFC 3339 */
  readonly created: string;
  /** Bytes of all layers. */
  readonly size: number;
  readonly step: RunStep;
  readonly network: NetworkMode;
  readonly diffIds: readonly Digest[];
}

/** What is written down of a step. */
interface KeptRecord {
  readonly step: RunStep;
  readonly exitCode: number;
  readonly network: NetworkMode;
}

export interface FailedRun extends KeptRecord {
  readonly active: ActiveSnapshot;
  /** Layers that it began with. */
  readonly below: readonly Digest[];
  readonly platform: Platform;
}

/** Keeps the state of a failed step. The values of secrets and proxies are no part of it. */
export async function keepStep(store: Store, failed: FailedRun): Promise<KeptStep> {
  const { active, below, platform, step, exitCode, network } = failed;
  const draft = await store.snapshots.diff(active);
  await store.snapshots.commit(active, draft);
  const record: KeptRecord = { step: { ...step, proxyEnv: [] }, exitCode, network };
  const created = new Date().toISOString();
  const diffIds = [...below, draft.diffId];
  const id = await store.images.create(
    {
      platform,
      created,
      config: {
        Env: step.env,
        Cmd: step.args,
        User: step.user,
        WorkingDir: step.cwd,
      },
      diffIds,
      history: [{ created, createdBy: step.title, comment: `failed with exit code ${exitCode}` }],
    },
    [],
  );
  store.cache.putFact(factKind, id, JSON.stringify(record));
  return { id, title: step.title, created, size: 0, diffIds, ...record };
}

/** The kept steps of a store, newest first. */
export function keptSteps(store: Store): readonly KeptStep[] {
  const found = store.images.list().flatMap((image) => keptOf(store, image) ?? []);
  return found.toSorted((a, b) => (a.created < b.created ? 1 : -1));
}

/**
 * The kept step of an id, or of its beginning.
 * @throws BuildError KEPT_STEP_NOT_FOUND
 */
export function keptStep(store: Store, id: string): KeptStep {
  const wanted = id.replace(/^sha256:/, '');
  const found = /^[0-9a-f]+$/.test(wanted) ? keptSteps(store).filter((each) => hexOf(each.id).startsWith(wanted)) : [];
  const [first, second] = found;
  if (first === undefined || second !== undefined) {
    const what = first === undefined ? 'no failed step is kept as' : 'several failed steps begin with';
    throw new BuildError('KEPT_STEP_NOT_FOUND', `${what} ${id}`, { hint: '`slipway debug ls` lists them' });
  }
  return first;
}

function keptOf(store: Store, image: ImageRecord): KeptStep | undefined {
  const text = store.cache.fact(factKind, image.id);
  const record = text === undefined ? undefined : parseRecord(text);
  if (record === undefined) return undefined;
  const { title } = record.step;
  const { created = '', diffIds } = image.config;
  return { id: image.id, title, created, size: image.size, diffIds, ...record };
}

/** Another version may have written it: what cannot be read is none. */
function parseRecord(text: string): KeptRecord | undefined {
  try {
    const { step, exitCode, network } = JSON.parse(text) as Partial<KeptRecord>;
    const isOurs = isStep(step) && typeof exitCode === 'number' && isNetwork(network);
    return isOurs ? { step, exitCode, network } : undefined;
  } catch {
    return undefined;
  }
}

function isNetwork(value: unknown): value is NetworkMode {
  return value === 'default' || value === 'host' || value === 'none';
}

function isStep(value: unknown): value is RunStep {
  if (typeof value !== 'object' || value === null) return false;
  const step = value as Partial<Record<keyof RunStep, unknown>>;
  const isTexts = (list: unknown): boolean => Array.isArray(list) && list.every((each) => typeof each === 'string');
  return (
    step.kind === 'run' &&
    [step.title, step.user, step.cwd].every((each) => typeof each === 'string') &&
    [step.args, step.env].every(isTexts) &&
    Array.isArray(step.mounts) &&
    Array.isArray(step.pipes)
  );
}
