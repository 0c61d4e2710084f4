import type { Measurement, Role, Sample } from '../../bench/measure/index.ts';
import type { JobResult } from '../../bench/report/index.ts';

/** A measurement with these wall times; a tenth of them of processor time, and a megabyte of memory for each. */
export function measured(name: string, role: Role, walls: readonly number[]): Measurement {
  const samples = walls.map(
    (wall): Sample => ({
      wall,
      cpu: wall / 10,
      memory: wall * 1e6,
      treeMemory: wall * 2e6,
    }),
  );
  return { name, role, samples };
}

/** Ours at 100 ms beside a peer at 200 and a limit at 50. */
export function madeResult(more: Partial<JobResult> = {}): JobResult {
  return {
    job: 'unpack',
    title: 'a layer unpacked',
    place: 'tmpfs',
    taken: '2026-01-02T03:04:05.000Z',
    machine: {
      processor: 'A processor',
      cores: 2,
      memory: 8 * 2 ** 30,
      kernel: '6.1.0',
      node: 'v24.21.0',
      slipway: 'abcdef0',
      peers: { tar: '1.34' },
    },
    load: [0.5, 1.25],
    subject: 'slipway load',
    measurements: [
      measured('slipway load', 'ours', [90, 100, 140]),
      measured('pigz -dc | tar x', 'peer', [180, 200, 420]),
      measured('tar x', 'limit', [50, 50, 50]),
    ],
    bars: [
      { to: { best: 'peer' }, figure: 'wall', atMost: 0.6 },
      { figure: 'wall', atMost: 90 },
      { to: 'nobody', figure: 'cpu', atMost: 1 },
    ],
    ...more,
  };
}
