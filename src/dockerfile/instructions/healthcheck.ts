import type { Healthcheck } from '../../oci/index.ts';
import type { Instruction } from '../ast.ts';
import { DockerfileError, inPart } from '../error.ts';
import { quote } from '../quote.ts';
import { parseDuration } from './duration.ts';
import { type Flags, readFlags } from './flags.ts';

const kinds = {
  interval: 'text',
  timeout: 'text',
  'start-period': 'text',
  'start-interval': 'text',
  retries: 'text',
} as const;

/** Below this docker refuses an interval. */
const millisecond = 1e6;

/** @throws DockerfileError INVALID_ARGUMENT, INVALID_FLAG */
export function parseHealthcheck(instruction: Instruction): Healthcheck {
  const [written, ...command] = instruction.args;
  if (written === undefined) throw invalid('HEALTHCHECK requires at least one argument');
  const kind = written.toUpperCase();
  if (kind === 'NONE') {
    if (command.length > 0) throw invalid('HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  const flags = readFlags(instruction.flags, kinds);
  if (kind !== 'CMD')
    throw new DockerfileError('INVALID_ARGUMENT', `Unknown type ${quote(kind)} in HEALTHCHECK (try CMD)`, {
      part: { arg: 0 },
    });
  if (command.length === 0) throw invalid('Missing command after HEALTHCHECK CMD');
  return {
    Test: [instruction.json ? 'CMD' : 'CMD-SHELL', ...command],
    ...interval(flags, 'interval', 'Interval'),
    ...interval(flags, 'timeout', 'Timeout'),
    ...interval(flags, 'start-period', 'StartPeriod'),
    ...interval(flags, 'start-interval', 'StartInterval'),
    ...inPart({ flag: 'retries' }, () => retries(flags.text('retries'))),
  };
}

function interval(flags: Flags, flag: string, member: keyof Healthcheck): Partial<Healthcheck> {
  return inPart({ flag }, () => readInterval(flags.text(flag), flag, member));
}

function readInterval(text: string, flag: string, member: keyof Healthcheck): Partial<Healthcheck> {
  const nanoseconds = text === '' ? 0 : parseDuration(text);
  if (nanoseconds === 0) return {};
  if (nanoseconds < millisecond) throw invalid(`Interval ${quote(flag)} cannot be less than 1ms`);
  return { [member]: nanoseconds };
}

function retries(text: string): Partial<Healthcheck> {
  if (text === '') return {};
  const count = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(count) < 2 ** 31)) throw invalid(`--retries must be a whole number, not ${quote(text)}`);
  if (count < 0) throw invalid(`--retries cannot be negative (${count})`);
  return count === 0 ? {} : { Retries: count };
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message);
}
