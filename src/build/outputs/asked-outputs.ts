import type { BuildRequest } from '../request.ts';
import { type BuildOutput, type ImageOutput, plainForm } from './output.ts';

/** Every output that a request asks for: `--push` is one, and annotations are on all that have a manifest. */
export function askedOutputs({
  outputs,
  push,
  annotations = [],
}: Pick<BuildRequest, 'outputs' | 'push' | 'annotations'>): readonly BuildOutput[] {
  const asked = push ? [...outputs, { ...stored, type: 'registry', push: true } as const] : outputs;
  if (annotations.length === 0) return asked;
  // What an output says itself comes last, and so wins.
  return (asked.length === 0 ? [stored] : asked).map((output) =>
    'form' in output
      ? { ...output, form: { ...output.form, annotations: [...annotations, ...output.form.annotations] } }
      : output,
  );
}

/** The image in the store, under the build's names. */
const stored: ImageOutput = {
  type: 'image',
  names: [],
  push: false,
  byDigest: false,
  canonical: false,
  store: true,
  unpack: false,
  form: plainForm,
};
