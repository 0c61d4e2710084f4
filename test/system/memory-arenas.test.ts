import { expect, it } from '@jest/globals';
import { limitMemoryArenas } from '../../src/system/index.ts';

it('arenas are limited without a word, as often as it is asked', () => {
  expect(limitMemoryArenas()).toBeUndefined();
  expect(limitMemoryArenas()).toBeUndefined();
});
