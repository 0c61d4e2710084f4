import { FunctionFailure } from '../hcl/limits.ts';
import { equals, list, type Sequence, set, tuple, type Value } from '../hcl/value.ts';
import { unify } from '../hcl/type.ts';
import { define, fixed, type Functions, sequence } from './define.ts';

const anySet = { set: 'any' } as const;

export const setFunctions: Functions = {
  sethaselement: fixed([anySet, 'any'], (items, wanted) => has(sequence(items), wanted)),
  setunion: define({ params: [anySet], rest: anySet }, (args) =>
    set(unify(args.flatMap((arg) => sequence(arg).items))),
  ),
  setintersection: define({ params: [anySet], rest: anySet }, (args) => {
    const [first, ...others] = args.map((arg) => sequence(arg));
    return set((first?.items ?? []).filter((item) => others.every((other) => has(other, item))));
  }),
  setsubtract: fixed([anySet, anySet], (a, b) => set(sequence(a).items.filter((item) => !has(sequence(b), item)))),
  setsymmetricdifference: define({ params: [anySet], rest: anySet }, (args) => {
    const all = unify(args.flatMap((arg) => sequence(arg).items));
    return set(all.filter((item) => args.filter((arg) => has(sequence(arg), item)).length % 2 === 1));
  }),
  setproduct: define({ params: ['any'], rest: 'any' }, product),
};

function has({ items }: Sequence, wanted: Value): boolean {
  return items.some((item) => equals(item, wanted));
}

function product(args: readonly Value[]): Value {
  if (args.length < 2) throw new FunctionFailure('takes at least 2 arguments');
  const sequences = args.map((arg, index) => sequence(arg, index));
  const size = sequences.reduce((total, { items }) => total * items.length, 1);
  if (size > 100_000) throw new FunctionFailure(`the product has ${size} elements`);
  let rows: (readonly Value[])[] = [[]];
  for (const { items } of sequences) rows = rows.flatMap((row) => items.map((item) => [...row, item]));
  const tuples = rows.map(tuple);
  return sequences.every(({ kind }) => kind === 'set') ? set(tuples) : list(tuples);
}
