import { parseArgs } from 'node:util';
import type { PlaceKind } from './places/index.ts';

export interface Options {
  /** Jobs by name; all that do not want to be named unless given. */
  readonly names: readonly string[];
  readonly places: readonly PlaceKind[];
  readonly rounds: number | undefined;
  readonly json: boolean;
  readonly save: boolean;
  readonly page: boolean;
  readonly list: boolean;
  readonly tiny: boolean;
}

export const usage = `npm run bench -- [NAME…] [--rounds N] [--place tmpfs|ext4|both] [--json] [--save] [--page] [--list] [--tiny]

  NAME…      jobs; all but the long ones unless given
  --rounds   how many count; what the job says unless given, which is mostly 5
  --place    memory, a fresh ext4 in a file, or both, which root gets unless told otherwise
  --json     prints results as JSON
  --save     keeps results in bench/results
  --page     writes what is kept into docs/performance.md and its charts
  --list     says what jobs there are
  --tiny     runs once on a few files: tells whether the benchmark works, and nothing about speed
`;

/** @throws Error for what it does not know */
export function readOptions(words: readonly string[], possible: readonly PlaceKind[]): Options {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      place: { type: 'string', default: 'both' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      page: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
    },
  });
  const { rounds, place, ...switches } = values;
  if (rounds !== undefined && !/^[1-9]\d{0,3}$/.test(rounds)) throw new Error(`--rounds wants a number, not ${rounds}`);
  if (values.tiny && values.save) throw new Error('what tiny inputs took is not kept: --tiny goes without --save');
  return {
    names: positionals,
    places: placesOf(place, possible),
    rounds: rounds === undefined ? undefined : Number(rounds),
    ...switches,
  };
}

function placesOf(place: string, possible: readonly PlaceKind[]): readonly PlaceKind[] {
  if (place === 'both') return possible;
  const found = possible.find((kind) => kind === place);
  if (found === undefined) throw new Error(`--place can be ${[...possible, 'both'].join(', ')} here, not ${place}`);
  return [found];
}
