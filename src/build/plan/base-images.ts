import {
  type Ast,
  type BuildInputs,
  excerptOf,
  type ImageStep,
  needKey,
  needs,
  type PlacedNeed,
  type ResolvedConfigs,
  type StepGraph,
  suggestImage,
  toGraph,
} from '../../dockerfile/index.ts';
import { isSlipwayError, messageOf } from '../../errors.ts';
import {
  type Digest,
  familiarName,
  formatPlatform,
  formatReference,
  type ImageConfig,
  parseReference,
  type Platform,
  platformRank,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';
import { policedImage, type Policing } from '../policy/sources.ts';
import type { OnBuildEvent } from '../events.ts';
import { importImage, type OpenRepository, type ResolvedImage, resolveImage } from '../images/resolve.ts';
import { type NamedContexts, normalName } from '../contexts/named-contexts.ts';

export interface BaseImagesOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly onEvent: OnBuildEvent;
  readonly signal?: AbortSignal | undefined;
  readonly contexts: NamedContexts;
  /** Asks the registry for a newer image even where one is here. */
  readonly pull: boolean;
  /** What policies make of names. */
  readonly policing?: Policing | undefined;
  /** Whether events name platforms, as they must where there are several. */
  readonly showPlatform?: boolean;
}

/** The images that a Dockerfile's graph starts from, by need. */
export class BaseImages {
  readonly #found = new Map<string, ResolvedImage>();
  readonly #options: BaseImagesOptions;

  constructor(options: BaseImagesOptions) {
    this.#options = options;
  }

  /** @throws DockerfileError, BuildError IMAGE_NOT_FOUND */
  async graphOf(ast: Ast, inputs: BuildInputs): Promise<StepGraph> {
    return toGraph(ast, inputs, await this.resolveAll(ast, (configs) => needs(ast, inputs, configs)));
  }

  /** Asks for images until nothing is unknown any more: ONBUILD triggers of one base may name others. */
  async resolveAll(ast: Ast, needsOf: (configs: ResolvedConfigs) => readonly PlacedNeed[]): Promise<ResolvedConfigs> {
    const configs = new Map<string, ImageConfig>();
    for (let open = needsOf(configs); open.length > 0; open = needsOf(configs)) {
      await Promise.all(
        open.map(async (need) => {
          const image = await this.#resolve(ast, need);
          this.#found.set(needKey(need), image);
          configs.set(needKey(need), image.config);
        }),
      );
    }
    return configs;
  }

  imageOf(step: ImageStep): ResolvedImage {
    const image = this.#found.get(needKey(step));
    if (image === undefined) throw new Error(`image ${step.name} was never resolved`);
    return image;
  }

  /** What was found once is not asked for again: a build may be planned twice. */
  async #resolve(ast: Ast, need: PlacedNeed): Promise<ResolvedImage> {
    const known = this.#found.get(needKey(need));
    if (known !== undefined) return known;
    const { onEvent, showPlatform } = this.#options;
    const id = `load ${needKey(need)}`;
    const place = showPlatform === true ? `[${formatPlatform(need.platform)} internal]` : '[internal]';
    onEvent({ type: 'step-start', id, title: `${place} load metadata for ${shownName(need.name)}`, time: Date.now() });
    try {
      const image = await this.#find(ast, need);
      onEvent({ type: 'step-done', id, cached: false, time: Date.now() });
      return image;
    } catch (error) {
      onEvent({ type: 'step-error', id, message: messageOf(error), time: Date.now() });
      throw error;
    }
  }

  async #find(ast: Ast, need: PlacedNeed): Promise<ResolvedImage> {
    const { store, open, pull, signal, contexts } = this.#options;
    const context = contexts.get(normalName(need.name));
    if (context?.kind === 'layout') {
      const { openLayout } = await import('../../transports/index.ts');
      return importImage(await openLayout(context.path), context.reference, { store, platform: need.platform, signal });
    }
    if (context?.kind === 'stored') return storedImage(context.ids, need.platform, store);
    const { policing } = this.#options;
    const asked = context?.kind === 'image' ? context.name : need.name;
    const name = policing === undefined ? asked : policedImage(asked, policing);
    try {
      return await resolveImage(name, need.platform, { store, open, pull, signal });
    } catch (error) {
      throw notToBeHad(error, shownName(name), {
        suggestion: suggestImage(ast, need.name),
        details: excerptOf(ast, need),
      });
    }
  }
}

/** The only one, or the best one for a platform. @throws BuildError IMAGE_NOT_FOUND */
function storedImage(ids: readonly Digest[], platform: Platform, store: Store): ResolvedImage {
  const images = ids.map((id) => {
    const image = store.images.find(id);
    if (image === undefined) throw new BuildError('IMAGE_NOT_FOUND', `the store has no image ${id}`);
    return { image, rank: ids.length === 1 ? 0 : platformRank(platform, image.platform) };
  });
  const best = images.filter(({ rank }) => rank !== undefined).toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0))[0];
  if (best === undefined)
    throw new BuildError('IMAGE_NOT_FOUND', `the context has no image for ${formatPlatform(platform)}`);
  return { config: best.image.config, pinned: best.image.manifest?.digest ?? best.image.id };
}

interface Reasons {
  readonly suggestion: string;
  readonly details: readonly string[];
}

/**
 * An error that says which line wants the image, and what may be meant: a stage whose name is misspelled is looked for in a
 * registry. Of a repository that they do not know, most registries only say that one may not read it.
 */
function notToBeHad(error: unknown, name: string, { suggestion, details }: Reasons): unknown {
  if (!isSlipwayError(error)) return error;
  if (error.code === 'NOT_FOUND') {
    const hint = 'check the name, or log in if the repository is private';
    return new BuildError('IMAGE_NOT_FOUND', `${name}: not found${suggestion}`, { cause: error, hint, details });
  }
  const { message, hint, exitCode } = error;
  const options = { cause: error, hint, details: [...error.details, ...details], exitCode };
  const unknown = error.code === 'UNAUTHORIZED' || error.code === 'DENIED';
  return new BuildError(unknown ? 'IMAGE_NOT_FOUND' : 'IMAGE_UNAVAILABLE', `${message}${suggestion}`, options);
}

function shownName(name: string): string {
  try {
    const reference = parseReference(name);
    return reference.digest === undefined ? formatReference(reference) : familiarName(reference);
  } catch {
    return name;
  }
}
