import type { HistoryItem, Platform, RunConfig } from '../oci/index.ts';

/**
 * What a Dockerfile asks for, as data (DESIGN, idea 2). Plain JSON: the solver knows this and no Dockerfile. Steps are in an
 * order in which each comes after all it needs; only what the target needs is there.
 */
export interface StepGraph {
  readonly version: 1;
  /** The step whose snapshot is the result; undefined for an image without layers (FROM scratch alone). */
  readonly target: StepId | undefined;
  readonly steps: readonly Step[];
  /** The image that the target stage describes. */
  readonly image: ImageDraft;
  /** Absent where SOURCE_DATE_EPOCH is not given. */
  readonly epoch?: EpochSource;
  /** Notes for the user: accepted but ignored, deprecated, suspicious. */
  readonly warnings: readonly GraphWarning[];
}

/** Unique in its graph and stable over runs: `s0`, `s1`, …. */
export type StepId = string;

/** The target stage's image but for what only the build knows (diffIDs, dates). */
export interface ImageDraft {
  readonly platform: Platform;
  readonly author?: string;
  readonly config: RunConfig;
  /** Of the whole image, base's entries first. An entry of ours without `emptyLayer` names its step. */
  readonly history: readonly DraftHistoryItem[];
}

export interface DraftHistoryItem extends HistoryItem {
  /** The step that made this entry's layer. */
  readonly step?: StepId;
  /** True for entries taken over from the base image. */
  readonly inherited?: boolean;
}

export interface GraphWarning {
  readonly message: string;
  readonly line?: number;
  /** The rule that gave it, where it comes from a check. */
  readonly rule?: string;
}

export type Step = ImageStep | RunStep | CopyStep | WorkdirStep;

interface StepBase {
  readonly id: StepId;
  /** As progress shows it: `[build 2/5] RUN npm ci`. */
  readonly title: string;
  /** Name of the stage, or its number as text. */
  readonly stage: string;
  /** Where it is written; absent for implicit steps. */
  readonly location?: SourceRange;
}

/** Lines count from 1, `end` included. */
export interface SourceRange {
  readonly start: number;
  readonly end: number;
}

/** An image from outside: a base, or a source of COPY --from. */
export interface ImageStep extends StepBase {
  readonly kind: 'image';
  /** As written after expansion: `debian:12`, or a named context. */
  readonly name: string;
  readonly platform: Platform;
}

/** A step that changes the tree of `input`; undefined for an empty tree (scratch). */
interface ChangingStep extends StepBase {
  readonly input: StepId | undefined;
}

export interface RunStep extends ChangingStep {
  readonly kind: 'run';
  /** Full argv, shell included. */
  readonly args: readonly string[];
  /** ENV and ARG of this point, `NAME=value`. */
  readonly env: readonly string[];
  /** Values that RUN sees but that never count for the cache or history: proxies. */
  readonly proxyEnv: readonly string[];
  readonly user: string;
  readonly cwd: string;
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly mounts: readonly RunMount[];
  /** Heredocs with an interpreter of their own: files under /dev/pipes. */
  readonly pipes: readonly { readonly name: string; readonly content: string }[];
}

export type RunMount =
  | {
      readonly type: 'bind';
      readonly from: TreeSource;
      readonly source: string;
      readonly target: string;
      readonly readWrite: boolean;
    }
  | {
      readonly type: 'cache';
      readonly id: string;
      readonly target: string;
      readonly readOnly: boolean;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly from?: TreeSource;
      readonly source?: string;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly size?: number }
  | {
      readonly type: 'secret' | 'ssh';
      readonly id: string;
      readonly target?: string;
      readonly env?: string;
      readonly required: boolean;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
    };

/** A tree to read from: the build context, a named context, or another step's result. */
export type TreeSource =
  | { readonly kind: 'context'; readonly name?: string }
  | { readonly kind: 'step'; readonly step: StepId }
  | { readonly kind: 'empty' };

export interface CopyStep extends ChangingStep {
  readonly kind: 'copy';
  readonly sources: readonly CopySource[];
  /** Absolute; ends in `/` where the user wrote so or it means a folder. */
  readonly destination: string;
  /** `user[:group]` as written after expansion; undefined: 0:0. */
  readonly owner?: string;
  /** Octal or symbolic, as written after expansion. */
  readonly mode?: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  /** ADD: whether local archives are unpacked (`auto`: by content), and downloads too (`always`). */
  readonly unpack: 'never' | 'auto' | 'always';
}

export type CopySource =
  /** Absolute in its tree and clean; with `parents` the pivot is always written: `/base/./pattern`. */
  | { readonly kind: 'path'; readonly from: TreeSource; readonly path: string }
  /** A heredoc; `name` is one path component, and `encodeText` makes the content's bytes. */
  | { readonly kind: 'inline'; readonly name: string; readonly content: string }
  | AddSource;

/** What ADD fetches from outside. */
export type AddSource =
  | { readonly kind: 'url'; readonly url: string; readonly checksum?: string }
  | { readonly kind: 'git'; readonly url: string; readonly checksum?: string; readonly keepGitDir: boolean };

/**
 * Whose time SOURCE_DATE_EPOCH means. Where it is not a number yet, whoever finds it out gives it as the build argument
 * and asks for the graph again; until then ARG and RUN see nothing of it.
 */
export type EpochSource =
  | { readonly kind: 'seconds'; readonly seconds: number }
  /** The build context, or a named one. */
  | { readonly kind: 'context'; readonly name?: string }
  | AddSource;

/** Makes a folder for WORKDIR, owned by the user of that point. */
export interface WorkdirStep extends ChangingStep {
  readonly kind: 'workdir';
  readonly path: string;
  readonly user: string;
}
