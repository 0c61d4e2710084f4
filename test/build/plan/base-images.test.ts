import { describe, expect, it } from '@jest/globals';
import { BaseImages } from '../../../src/build/plan/base-images.ts';
import { needs, parse } from '../../../src/dockerfile/index.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/error.ts';
import type { Store } from '../../../src/store/index.ts';
import { inputs } from '../../dockerfile/build-inputs.ts';

/** What goes wrong where no image is here and every registry answers with this. */
async function failure(text: string, code: RegistryErrorCode): Promise<unknown> {
  const images = new BaseImages({
    store: { images: { find: () => undefined, partsOf: () => [] } } as unknown as Store,
    open: async () => {
      throw new RegistryError(code, 'the registry said no', { hint: 'log in' });
    },
    onEvent: () => {},
    contexts: new Map(),
    pull: false,
  });
  const ast = parse(text, { name: 'Containerfile' });
  return images.resolveAll(ast, (configs) => needs(ast, inputs(), configs)).catch((error: unknown) => error);
}

describe('a base that cannot be had', () => {
  it.each<readonly [rule: string, text: string, code: RegistryErrorCode, expected: object]>([
    [
      'is not found',
      'FROM nosuch\n',
      'NOT_FOUND',
      { code: 'IMAGE_NOT_FOUND', message: 'docker.io/library/nosuch:latest: not found' },
    ],
    [
      'may be a stage',
      'FROM a AS build\nFROM biuld\n',
      'NOT_FOUND',
      { message: 'docker.io/library/biuld:latest: not found (did you mean build?)' },
    ],
    [
      'may be a stage also where the registry only says that one may not read it',
      'FROM a AS build\nFROM biuld\n',
      'UNAUTHORIZED',
      { code: 'IMAGE_NOT_FOUND', message: 'the registry said no (did you mean build?)', hint: 'log in' },
    ],
    [
      'is shown with its line',
      'FROM scratch\nCOPY --from=alpin a b',
      'DENIED',
      {
        message: 'the registry said no (did you mean alpine?)',
        details: expect.arrayContaining(['Containerfile:2:6', '   2 | >>> COPY --from=alpin a b']),
      },
    ],
    [
      'names the line, and what may be meant, where the network fails too',
      'FROM alpin',
      'NETWORK',
      { code: 'IMAGE_UNAVAILABLE', message: expect.stringContaining(' (did you mean alpine?)') },
    ],
  ])('%s', async (_, text, code, expected) => {
    expect(await failure(text, code)).toMatchObject(expected);
  });
});
