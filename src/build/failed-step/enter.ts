import { isatty } from 'node:tty';
import { NetworkPool } from '../../container/index.ts';
import { checkEntitlements, type Entitlement } from '../run/confinement.ts';
import { chainIdOfAll } from '../../oci/index.ts';
import type { IsolationChoice } from '../../container/index.ts';
import type { Store } from '../../store/index.ts';
import { BuildCache } from '../cache/build-cache.ts';
import { RemoteSources } from '../contexts/remote-sources.ts';
import { noAccess } from '../contexts/secrets.ts';
import type { OnBuildEvent } from '../events.ts';
import { Lane } from '../workshop/lane.ts';
import { SecretSources } from '../mounts/secrets.ts';
import { prepareRun } from '../run/run-step.ts';
import { RunConditions } from '../run/run-conditions.ts';
import type { TreeOffer } from '../contexts/trees.ts';
import { Workshop } from '../workshop/workshop.ts';
import type { KeptStep } from './kept-steps.ts';
import { interactionOf, shellOf, terminalEnv } from './shell.ts';

/** How a kept step is entered. */
export interface EnterOptions {
  readonly store: Store;
  readonly isolation: IsolationChoice;
  readonly allow: readonly Entitlement[];
  readonly onEvent: OnBuildEvent;
  readonly signal?: AbortSignal | undefined;
  /** Instead of a shell. */
  readonly command?: readonly string[] | undefined;
}

/**
 * Opens a shell in a kept step, on this process's standard streams: its files, environment, user, network and caches. What it was
 * given for its time alone (secrets, agents, files of contexts and stages) is gone. Each visit begins with the state as it was kept, and
 * leaves it so.
 * @returns the shell's exit status
 */
export async function enterStep(kept: KeptStep, options: EnterOptions): Promise<number> {
  const { store, isolation, allow, onEvent, signal = new AbortController().signal } = options;
  const interaction = options.command === undefined || isatty(0) ? interactionOf('a shell') : 'plain';
  const usual = { limits: {}, names: { hosts: [], servers: [], search: [], options: [] } };
  const security = { seccomp: 'default', noNewPrivileges: false, unmasked: false } as const;
  const request = { network: kept.network, isolation, confinement: { ...usual, security, allow } };
  const step = { ...kept.step, input: undefined, mounts: kept.step.mounts.filter(isLasting) };
  checkEntitlements({ steps: [step] }, { ...request, network: 'default' }, { name: '', text: Buffer.alloc(0) });
  for (const { type, target } of kept.step.mounts.filter((mount) => !isLasting(mount))) {
    const message = `the ${type} mount${target === undefined ? '' : ` ${target}`} of the step is not there any more`;
    onEvent({ type: 'note', level: 'warning', message });
  }
  await using lane = new Lane(store);
  await using workshop = new Workshop(store.privileges, { runs: 1, others: 1 });
  await using networks = new NetworkPool({ privileges: store.privileges, folder: () => lane.scratch(), signal });
  const conditions = new RunConditions({ request, privileges: store.privileges, networks, onEvent });
  await store.unpack(kept.diffIds, { signal });
  const active = await store.snapshots.prepare(chainIdOfAll(kept.diffIds));
  try {
    using around = await conditions.enter(step);
    const place = { active, scratch: await lane.scratch() };
    const offer = offerOf(store, lane, signal);
    const own = { offer, request, workshop, digests: {}, onEvent, signal };
    await using prepared = await prepareRun(step, place, { ...around, ...own });
    const { job } = prepared;
    const env = [...terminalEnv(interaction), ...job.env];
    const args = options.command ?? shellOf(step);
    const { exitCode } = await workshop.run({ ...job, args, env, interaction }, { signal });
    return exitCode;
  } finally {
    await store.snapshots.discard(active).catch(() => undefined); // the next command's, then
  }
}

/** Which cache it was is not known any more, where that began with the content of a tree. */
function isLasting(mount: KeptStep['step']['mounts'][number]): boolean {
  return (mount.type === 'cache' && mount.from === undefined) || mount.type === 'tmpfs';
}

/** Nothing but the store is there to mount from. */
function offerOf(store: Store, lane: Lane, signal: AbortSignal | undefined): TreeOffer {
  const secrets = new SecretSources([], { environment: {}, signal });
  return {
    store,
    lane,
    secrets,
    signal,
    context: { dockerfile: { name: '', text: Buffer.alloc(0) }, folder: undefined, ignore: [] },
    folders: new Map(),
    remote: new RemoteSources({
      access: noAccess,
      facts: new BuildCache(store),
      scratch: () => lane.scratch(),
      signal,
    }),
    layersOf: () => [],
    unpack: (diffIds) => store.unpack(diffIds, { signal }),
  };
}
