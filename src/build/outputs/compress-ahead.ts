import type { CallOptions, Digest } from '../../oci/index.ts';
import type { ImageForm, Store } from '../../store/index.ts';
import type { BuildRequest } from '../request.ts';
import { askedOutputs } from './asked-outputs.ts';
import type { BuildOutput } from './output.ts';
import { layerFormOf } from './roots.ts';

export interface AheadOptions extends CallOptions {
  readonly store: Pick<Store, 'layerBlob'>;
}

/**
 * Compresses layers of the result while later steps are done, where an output needs their blobs for sure: a step mostly keeps one
 * processor busy. What comes out is the same as when the output makes it. Nothing is sent before the build is done.
 */
export class CompressAhead implements AsyncDisposable {
  readonly #forms: readonly ImageForm[];
  readonly #store: AheadOptions['store'];
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #begun = new Map<Digest, Promise<unknown>>();

  constructor(
    request: Pick<BuildRequest, 'outputs' | 'push' | 'annotations' | 'squash'>,
    { store, signal }: AheadOptions,
  ) {
    this.#forms = formsAsked(request);
    this.#store = store;
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  /** A form that is sure to be asked for, of all layers that are made. */
  get form(): ImageForm | undefined {
    return this.#forms[0];
  }

  /** A layer of the result was made. */
  take(diffId: Digest): void {
    if (this.#forms.length > 0 && !this.#begun.has(diffId)) this.#begun.set(diffId, this.#compress(diffId));
  }

  /** Resolves when nothing is at work any more, so that no layer is compressed twice. */
  async settled(): Promise<void> {
    await Promise.all(this.#begun.values());
  }

  /** What fails here is tried again by the output that needs it, which then tells why. */
  async #compress(diffId: Digest): Promise<void> {
    for (const form of this.#forms) {
      await this.#store.layerBlob(diffId, form, { signal: this.#signal, allowRemote: true }).catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.settled();
  }
}

/** The forms in which outputs want the layers just as the steps made them, each once. */
function formsAsked(request: ConstructorParameters<typeof CompressAhead>[0]): readonly ImageForm[] {
  if (request.squash === true) return [];
  const forms = askedOutputs(request).flatMap((output) => (needsLayers(output) ? [layerFormOf(output.form)] : []));
  return [...new Map(forms.map((form) => [`${form.compression} ${form.level}`, form])).values()];
}

function needsLayers(output: BuildOutput): output is Extract<BuildOutput, { readonly form: unknown }> {
  if (!('form' in output) || output.form.squash || output.form.rewriteTimestamp) return false;
  return output.type === 'oci' || output.type === 'docker' || ('push' in output && output.push);
}
