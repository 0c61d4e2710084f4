import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type RunOptions, type RunResult, runCli } from './run-cli.ts';

/** What chose the points; `SLIPWAY_TEST_SEED` repeats a run. */
const seed = Number(process.env['SLIPWAY_TEST_SEED'] ?? randomInt(2 ** 31));

/** Random numbers from 0 to below 1 that the seed and `stream` determine (mulberry32). */
export function randomNumbers(stream: number): () => number {
  let state = (seed + stream * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs the CLI and sends it signals, each some milliseconds after the one before. */
export async function interrupted(
  args: readonly string[],
  signals: readonly (readonly [name: NodeJS.Signals, after: number])[],
  options: RunOptions = {},
): Promise<RunResult> {
  let sent = Promise.resolve();
  const result = await runCli(args, {
    ...options,
    onSpawn: (child) => {
      sent = (async () => {
        for (const [name, after] of signals) {
          await delay(after);
          child.kill(name);
        }
      })();
    },
  });
  await sent;
  return result;
}

/** Repeats `attempt` until `count` of its runs were cut short; an error says how to have the same points again. */
export async function killTimes(
  count: number,
  { stream, length }: { readonly stream: number; readonly length: number },
  attempt: (after: number, round: number) => Promise<'killed' | 'finished'>,
): Promise<void> {
  const random = randomNumbers(stream);
  let killed = 0;
  for (let round = 0; killed < count; round++) {
    if (round >= count * 3) throw new Error(`only ${killed} of ${round} runs were still there to be killed`);
    const after = Math.round(length * (0.05 + 0.9 * random()));
    try {
      if ((await attempt(after, round)) === 'killed') killed++;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const where = `SLIPWAY_TEST_SEED=${seed}, round ${round}, after ${after} ms`;
      throw new Error(`${where}: ${message}`, { cause: error });
    }
  }
}
