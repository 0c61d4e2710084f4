import { type CopySource, type ImageStep, parseGitUrl, type Step } from '../../dockerfile/index.ts';
import { formatReference, parseReference } from '../../oci/index.ts';
import type { BaseImages } from '../plan/base-images.ts';
import { isCommit } from '../contexts/git/resolve-ref.ts';
import { type NamedContexts, normalName } from '../contexts/named-contexts.ts';
import type { RemoteSources } from '../contexts/remote-sources.ts';
import { type DescribeOptions, withImages } from '../plan/describe.ts';
import { BuildError } from '../error.ts';
import { planOf } from '../plan/plan.ts';
import { exists, lockPath, rulesIn } from '../policy/open-policy.ts';
import { gitIdentifier, imageIdentifier } from '../policy/sources.ts';
import type { BuildRequest } from '../request.ts';
import { comparePins, formatLock, type Pin, type PinChange, pinsOf } from './lock-file.ts';

/** What locking a build works with. */
export interface LockOptions extends DescribeOptions {
  /** Asks anew what every source is now; else pins that are there stay. */
  readonly update: boolean;
}

/** A lock file that is worked out, and not written yet. */
export interface Lock {
  readonly path: string;
  /** The lock file as it should be. */
  readonly text: string;
  readonly pins: readonly Pin[];
  /** From the file as it is. */
  readonly changes: readonly PinChange[];
}

/**
 * Finds out what a build would be made of now: digests of images, commits of repositories, checksums of downloads.
 * @throws BuildError as `build` does for its sources, POLICY_INVALID for a lock file that cannot be read
 */
export async function lockBuild(request: BuildRequest, options: LockOptions): Promise<Lock> {
  const asked = { ...request, pull: true };
  return withImages(asked, options, async ({ images, ast, inputs, contexts, remote, folder }) => {
    const path = lockPath(request.policy, folder);
    const before = (await exists(path)) ? pinsOf(await rulesIn(path)) : [];
    const plan = await planOf(ast, inputs, { images, platforms: options.platforms ?? [] });
    const known = new Map(options.update ? [] : before.map((pin) => [pin.source, pin] as const));
    const pinner = new Pinner({ images, contexts, remote, known });
    const pins = await pinner.pinsOf(plan.steps);
    return { path, text: formatLock(pins), pins, changes: comparePins(before, pins) };
  });
}

interface PinnerOptions {
  readonly images: BaseImages;
  readonly contexts: NamedContexts;
  readonly remote: RemoteSources;
  /** Pins that stay. */
  readonly known: ReadonlyMap<string, Pin>;
}

class Pinner {
  readonly #options: PinnerOptions;

  constructor(options: PinnerOptions) {
    this.#options = options;
  }

  /** One for each source that is not pinned where it is named. */
  async pinsOf(steps: readonly Step[]): Promise<readonly Pin[]> {
    const pins = new Map<string, Pin>();
    for (const step of steps) {
      const found = step.kind === 'image' ? [this.#image(step)] : await this.#sources(step);
      for (const pin of found) if (pin !== undefined) pins.set(pin.source, pin);
    }
    return [...pins.values()];
  }

  /** Images that come from this machine (layouts, the store) are as fixed as their files. */
  #image(step: ImageStep): Pin | undefined {
    const { images, contexts, known } = this.#options;
    const context = contexts.get(normalName(step.name));
    if (context !== undefined && context.kind !== 'image') return undefined;
    const reference = parseReference(context?.name ?? step.name);
    if (reference.digest !== undefined) return undefined;
    const source = imageIdentifier(formatReference(reference));
    const { pinned } = images.imageOf(step);
    const { digest } = parseReference(pinned);
    if (digest === undefined)
      throw new BuildError('NOT_LOCKED', `${step.name} has no digest that it could be known by`);
    return (
      known.get(source) ?? {
        source,
        to: { identifier: `${source}@${digest}` },
      }
    );
  }

  async #sources(step: Exclude<Step, ImageStep>): Promise<readonly (Pin | undefined)[]> {
    const pins: (Pin | undefined)[] = [];
    for (const source of step.kind === 'copy' ? step.sources : []) pins.push(await this.#source(source));
    return pins;
  }

  async #source(source: CopySource): Promise<Pin | undefined> {
    const { remote, known } = this.#options;
    if (source.kind === 'url') {
      if (source.checksum !== undefined) return undefined;
      return known.get(source.url) ?? { source: source.url, to: { checksum: await remote.url(source).digest() } };
    }
    const url = source.kind === 'git' ? parseGitUrl(source.url) : undefined;
    if (source.kind !== 'git' || url === undefined) return undefined;
    if (isCommit(url.ref) || isCommit(source.checksum ?? url.checksum ?? '')) return undefined;
    const identifier = gitIdentifier(url);
    const pin = known.get(identifier);
    if (pin !== undefined) return pin;
    const { keepGitDir, checksum } = source;
    const { commit } = await remote.git({ url, checksum, keepGitDir }, 'dockerfile').resolve();
    return { source: identifier, to: { identifier: gitIdentifier({ ...url, ref: commit }) } };
  }
}
