import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { image } from '../../examples/fluent/build.ts';
import { graphOf } from './build-inputs.ts';

const folder = join(import.meta.dirname, '../../examples/fluent');

it('the example is the Dockerfile beside it', () => {
  const dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8');
  expect(image.toDockerfile()).toBe(dockerfile);
  expect(JSON.stringify(graphOf(image.toDockerfile()))).toBe(JSON.stringify(graphOf(dockerfile)));
});
