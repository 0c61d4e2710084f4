import { describe, expect, it } from '@jest/globals';
import { CompressAhead } from '../../../src/build/outputs/compress-ahead.ts';
import { parseOutput } from '../../../src/build/outputs/parse-output.ts';
import { type Descriptor, digestOf, mediaTypes } from '../../../src/oci/index.ts';
import type { ImageForm } from '../../../src/store/index.ts';

const layer = digestOf(Buffer.from('a layer'));
const blob: Descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: layer, size: 7 };

/** Which forms of one layer are made for a request, in words. */
async function formsMadeFor(request: {
  readonly outputs?: readonly string[];
  readonly push?: boolean;
  readonly squash?: boolean;
}): Promise<readonly string[]> {
  const made: ImageForm[] = [];
  const store = {
    async layerBlob(_: unknown, form: ImageForm) {
      made.push(form);
      return blob;
    },
  };
  const outputs = (request.outputs ?? []).map((text) => parseOutput(text));
  await using ahead = new CompressAhead({ push: false, ...request, outputs }, { store, signal: undefined });
  ahead.take(layer);
  ahead.take(layer);
  await ahead.settled();
  expect(ahead.form).toEqual(made[0]);
  return made.map(({ compression, level }) => `${compression} ${level ?? 'default'}`);
}

describe('a layer is compressed while later steps run', () => {
  it.each([
    ['not for the store alone', {}, []],
    ['not for an image that stays', { outputs: ['type=image,name=here'] }, []],
    ['not for trees', { outputs: ['type=local,dest=/o', 'type=tar,dest=/o.tar', 'type=cacheonly'] }, []],
    ['for a push', { push: true }, ['gzip default']],
    ['for an image that is pushed', { outputs: ['type=image,name=there,push=true'] }, ['gzip default']],
    ['for an archive, in its form', { outputs: ['type=oci,dest=/o,compression=zstd'] }, ['zstd default']],
    ['once for outputs of one form', { push: true, outputs: ['type=oci,dest=/o'] }, ['gzip default']],
    [
      'for outputs of several forms',
      { push: true, outputs: ['type=docker,dest=/o', 'type=oci,dest=/p,compression-level=9'] },
      ['gzip default', 'gzip 9'],
    ],
    ['not where it becomes another layer', { outputs: ['type=oci,dest=/o,squash=true'] }, []],
    ['not where its times change', { outputs: ['type=oci,dest=/o,rewrite-timestamp=true'] }, []],
    ['not for a squashed build', { push: true, squash: true }, []],
  ] as const)('%s', async (_, request, forms) => {
    expect((await formsMadeFor(request)).toSorted()).toEqual([...forms].toSorted());
  });

  it('and stops when the build is over', async () => {
    const { promise, resolve } = Promise.withResolvers<AbortSignal | undefined>();
    let failed = false;
    const store = {
      layerBlob: (_: unknown, __: unknown, { signal }: { signal?: AbortSignal | undefined } = {}) =>
        new Promise<Descriptor>((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            failed = true;
            reject(signal.reason as Error);
          });
          resolve(signal);
        }),
    };
    {
      await using ahead = new CompressAhead({ push: true, outputs: [] }, { store, signal: undefined });
      ahead.take(layer);
      await promise;
      expect(failed).toBe(false);
    }
    expect(failed).toBe(true);
  });

  it('and what fails is left to the output to tell', async () => {
    const store = { layerBlob: () => Promise.reject(new Error('disk full')) };
    await using ahead = new CompressAhead({ push: true, outputs: [] }, { store, signal: undefined });
    ahead.take(layer);
    await expect(ahead.settled()).resolves.toBeUndefined();
  });
});
