import type { DockerfileText } from './literal.ts';

/** A stage as its author wrote it; plain values that never change. */
export interface StageDefinition {
  readonly base: Origin;
  /** The author's name; undefined where one is to be made up, or none is needed. */
  readonly name: string | undefined;
  readonly platform: DockerfileText | undefined;
  /** ARGs before the first FROM, which all stages of a file share. */
  readonly globalArgs: GlobalArgs;
  readonly passages: readonly Passage[];
}

export type GlobalArgs = Readonly<Record<string, DockerfileText | undefined>>;

/** What files come from: a stage, or the name of a stage or an image. */
export type Origin = StageDefinition | string;

/** What has a definition: the values that `from` and `scratch` give. */
export interface StageValue {
  readonly definition: StageDefinition;
}

/** A piece of Dockerfile text that is complete but for the names of the stages it reads. */
export interface Passage {
  readonly reads: readonly Origin[];
  readonly write: (nameOf: NameOf) => string;
}

export type NameOf = (origin: Origin) => string;
