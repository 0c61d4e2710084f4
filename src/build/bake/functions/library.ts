import type { Callable } from '../hcl/scope.ts';
import { collectionFunctions } from './collections.ts';
import { fixed, type Functions } from './define.ts';
import { encodingFunctions } from './encoding.ts';
import { formatFunctions } from './format.ts';
import { networkFunctions } from './network.ts';
import { numberFunctions } from './numbers.ts';
import { regexFunctions } from './regex.ts';
import { semverFunctions } from './semver.ts';
import { setFunctions } from './sets.ts';
import { textFunctions } from './text.ts';
import { timeFunctions } from './time.ts';

/** What functions ask of the machine. */
export interface Machine {
  readonly now: Date;
  readonly homeFolder: string;
  uuid(): string;
}

/** The functions that a definition may call, besides its own, `try`, `can` and `convert`. */
export function functionsOf(machine: Machine): ReadonlyMap<string, Callable> {
  const ofMachine: Functions = {
    homedir: fixed([], () => machine.homeFolder),
    uuidv4: fixed([], () => machine.uuid()),
  };
  const all = [
    textFunctions,
    numberFunctions,
    collectionFunctions,
    setFunctions,
    encodingFunctions,
    regexFunctions,
    formatFunctions,
    networkFunctions,
    semverFunctions,
    timeFunctions(machine.now),
    ofMachine,
  ];
  return new Map(all.flatMap((each) => Object.entries(each)));
}
