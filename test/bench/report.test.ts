import { describe, expect, it } from '@jest/globals';
import { parseResults, printResults, resultText, verdicts } from '../../bench/report/index.ts';
import { madeResult, measured } from './made-result.ts';

describe('what was asked', () => {
  it('is met, missed, or not measured', () => {
    expect(verdicts(madeResult())).toEqual([
      { asked: 'wall ≤ 0.60 × the best peer (pigz -dc | tar x)', found: 0.5, answer: '0.50', met: true },
      { asked: 'wall ≤ 90.0 ms', found: 100, answer: '100.0 ms', met: false },
      { asked: 'CPU ≤ 1.00 × nobody', found: undefined, answer: 'not measured', met: undefined },
    ]);
  });

  it('may be so much beyond a limit, round by round', () => {
    const bars = [
      { beyond: 'tar x', figure: 'wall', atMost: 60 },
      { beyond: 'nobody', figure: 'wall', atMost: 60 },
    ] as const;
    // 90, 100 and 140 less 50 each.
    expect(verdicts(madeResult({ bars }))).toEqual([
      { asked: 'wall ≤ 60.0 ms beyond tar x', found: 50, answer: '50.0 ms', met: true },
      { asked: 'wall ≤ 60.0 ms beyond nobody', found: undefined, answer: 'not measured', met: undefined },
    ]);
  });

  it('compares with the peer that is quickest', () => {
    const measurements = [...madeResult().measurements, measured('faster', 'peer', [100, 100, 100])];
    const [first] = verdicts(madeResult({ measurements }));
    expect(first).toMatchObject({ asked: 'wall ≤ 0.60 × the best peer (faster)', found: 1, met: false });
  });

  it('says megabytes of memory, at most of all rounds', () => {
    const bars = [{ figure: 'memory', atMost: 200e6 }] as const;
    expect(verdicts(madeResult({ bars }))).toEqual([
      { asked: 'peak memory of one process ≤ 200 MB', found: 140e6, answer: '140 MB', met: true },
    ]);
  });
});

describe('a table', () => {
  it('has a row for each contender, and ours over each', () => {
    expect(resultText(madeResult())).toBe(
      [
        '|  | median ms | min–max | CPU ms | peak MB | all MB | ours ÷ it | CPU ÷ its |',
        '| --- | --: | --: | --: | --: | --: | --: | --: |',
        '| **slipway load** | 100 | 90.0–140 | 10.0 | 140 | 280 |  |  |',
        '| pigz -dc \\| tar x | 200 | 180–420 | 20.0 | 420 | 840 | 0.50 | 0.50 |',
        '| limit: tar x | 50.0 | 50.0–50.0 | 5.0 | 50 | 100 | 2.00 | 2.00 |',
        '',
        '- wall ≤ 0.60 × the best peer (pigz -dc | tar x): **0.50**, met',
        '- wall ≤ 90.0 ms: **100.0 ms**, missed',
        '- CPU ≤ 1.00 × nobody: **not measured**',
        '',
      ].join('\n'),
    );
  });

  it('tells how large what they made is, where one tells', () => {
    const [ours = measured('', 'ours', []), ...others] = madeResult().measurements;
    const lines = resultText(madeResult({ measurements: [{ ...ours, output: 12e6 }, ...others] })).split('\n');
    expect(lines.slice(0, 4).map((line) => line.split(' | ').at(-1))).toEqual(['MB made |', '--: |', '12 |', '– |']);
  });

  it('shows no number that is none', () => {
    const nothing = { wall: 5, cpu: Number.NaN, memory: Number.NaN, treeMemory: Number.NaN };
    const measurements = [{ name: 'slipway load', role: 'ours', samples: [nothing] }] as const;
    expect(resultText(madeResult({ measurements, bars: [] }))).toContain(
      '| **slipway load** | 5.0 | 5.0–5.0 | – | – | – |',
    );
  });
});

describe('results in JSON', () => {
  it('are read as they were printed', () => {
    const result = madeResult();
    expect(parseResults(printResults([result]))).toEqual([result]);
  });

  it('know what could not be measured', () => {
    const nothing = { wall: 5, cpu: Number.NaN, memory: Number.NaN, treeMemory: 1 };
    const result = madeResult({ measurements: [{ name: 'a', role: 'ours', samples: [nothing] }] });
    const text = printResults([result]);
    expect(text).toContain('"cpu": null');
    expect(parseResults(text)).toEqual([result]);
  });

  it('of another schema are refused', () => {
    expect(() => parseResults('{"schema":2,"results":[]}')).toThrow('schema');
  });
});
