import { quote } from '../quote.ts';
import type { Origin, StageValue } from './definition.ts';
import { invalid } from './quoting.ts';

/** What `from` names. @throws DockerfileError INVALID_ARGUMENT */
export function originOf(from: StageValue | string): Origin {
  if (typeof from !== 'string') return from.definition;
  if (/^[+-]?\d+$/.test(from)) {
    throw invalid(`a stage is not named by its place: ${quote(from)}`, 'give the stage itself');
  }
  return checkOrigin(from);
}

/** A name of a stage or an image is one word without quotes. @throws DockerfileError INVALID_ARGUMENT */
export function checkOrigin(name: string): string {
  if (name !== '' && !/^--|[\s\u0085"'\\]/.test(name) && name.isWellFormed()) return name;
  throw invalid(`no name of a stage or an image: ${quote(name)}`);
}
