import { statSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { compare, type Contender, perOne } from '../../bench/measure/index.ts';

const node = process.execPath;

function contender(name: string, log: string[], more: Partial<Contender> = {}): Contender {
  const prepare = (): Promise<void> => Promise.resolve(void log.push(name));
  return { name, role: 'ours', command: [node, '-e', '0'], prepare, ...more };
}

describe('contenders', () => {
  it('take turns, every other round the other way', async () => {
    const log: string[] = [];
    const settle = (): Promise<void> => Promise.resolve(void log.push('.'));
    const { measurements } = await compare(
      { contenders: [contender('a', log), contender('b', log)], rounds: 2, warmups: 1 },
      { settle },
    );
    expect(log.join('')).toBe('b.a.a.b.b.a.');
    expect(measurements.map(({ name, samples }) => [name, samples.length])).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
    expect(measurements[0]?.samples.every(({ wall }) => wall > 0)).toBe(true);
  });

  it('that do one thing many times get a row for one', async () => {
    const sleep = (times: number) => [node, '-e', `setTimeout(() => 0, ${times * 20})`] as const;
    const each = { times: 11, fixed: { times: 1, command: sleep(1) } };
    const { measurements } = await compare({
      contenders: [contender('sleep', [], { command: sleep(11), each })],
      rounds: 1,
      warmups: 0,
    });
    expect(measurements.map(({ name }) => name)).toEqual(['sleep', perOne('sleep')]);
  });

  it('say how large what they made is', async () => {
    const output = import.meta.filename;
    const { measurements } = await compare({ contenders: [contender('a', [], { output })], rounds: 1, warmups: 0 });
    expect(measurements[0]?.output).toBe(statSync(output).size);
  });

  it('are stopped with their children', async () => {
    const stop = new AbortController();
    const command = ['/bin/sh', '-c', 'sleep 1000; echo over'] as const;
    setTimeout(() => stop.abort(), 200);
    await expect(compare({ contenders: [contender('a', [], { command })] }, { signal: stop.signal })).rejects.toThrow(
      'sleep 1000',
    );
  });

  it('that fail say what they said', async () => {
    const command = [node, '-e', 'console.error("no such thing"); process.exit(3)'] as const;
    await expect(compare({ contenders: [contender('a', [], { command })] })).rejects.toThrow(
      /ended with 3[\s\S]*no such thing/,
    );
  });
});
