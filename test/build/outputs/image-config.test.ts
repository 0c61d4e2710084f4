import { expect, it } from '@jest/globals';
import { imageConfigOf } from '../../../src/build/outputs/image-config.ts';
import type { StepGraph } from '../../../src/dockerfile/index.ts';
import { digestOf } from '../../../src/oci/index.ts';

const [base, own] = [digestOf('base'), digestOf('own')];
const graph: StepGraph = {
  version: 1,
  target: 's1',
  steps: [],
  warnings: [],
  image: {
    platform: { os: 'linux', architecture: 'amd64' },
    config: { Cmd: ['sh'] },
    history: [
      { created: '2020-01-01T00:00:00Z', createdBy: 'base', inherited: true },
      { createdBy: 'ENV A=1', emptyLayer: true },
      { createdBy: 'RUN true', step: 's1' },
      { createdBy: 'CMD ["sh"]', emptyLayer: true },
    ],
  },
};
const results = new Map([['s1', { diffIds: [base, own], created: '2026-02-03T04:05:06.000Z' }]]);

it('dates each entry by its step, and entries without a layer by the one before', () => {
  const config = imageConfigOf(graph, results);
  expect(config.history.map((item) => item.created?.slice(0, 4))).toEqual(['2020', '2020', '2026', '2026']);
  expect(config).toMatchObject({ created: '2026-02-03T04:05:06.000Z', diffIds: [base, own], config: { Cmd: ['sh'] } });
});

it('keeps what the graph says of steps out of the document', () => {
  for (const item of imageConfigOf(graph, results).history) {
    expect(Object.keys(item).sort()).toEqual(
      Object.keys(item)
        .filter((key) => !['step', 'inherited'].includes(key))
        .sort(),
    );
  }
});

it('has the epoch of a reproducible build in all that is ours', () => {
  const config = imageConfigOf(graph, results, { epoch: '2000-01-01T00:00:00Z' });
  expect(config.history.map((item) => item.created?.slice(0, 4))).toEqual(['2020', '2000', '2000', '2000']);
  expect(config.created).toBe('2000-01-01T00:00:00Z');
});

it('is the same for the same results, whenever it is made', () => {
  expect(imageConfigOf(graph, results)).toEqual(imageConfigOf(graph, results));
});
