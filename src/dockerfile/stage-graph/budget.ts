import { DockerfileError } from '../error.ts';

/** Bytes, roughly, that a graph's texts and lists may come to. */
const limit = 256 << 20;

/** What an entry of a list takes, and one of a map: its text is counted where it is made. */
export const listEntry = 8;
export const mapEntry = 40;

/**
 * What may still go into a graph. A few lines can ask for more than any memory: `ENV B=$A.` again and again where A is
 * long, many RUNs that see many variables, many stages that inherit a long history.
 */
export class Budget {
  #left = limit;

  /** @throws DockerfileError INVALID_ARGUMENT */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    throw new DockerfileError('INVALID_ARGUMENT', 'the Dockerfile comes to more than a build can hold', {
      hint: 'long values are repeated, or much is inherited, by many instructions',
    });
  }
}
