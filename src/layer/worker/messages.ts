import type { MessagePort } from 'node:worker_threads';
import type { Compression, Digest } from '../../oci/index.ts';
import { SystemError, type SystemErrorCode } from '../../system/index.ts';
import { isSlipwayError, messageOf } from '../../errors.ts';
import type { ApplyOptions, LayerTask } from '../contract.ts';
import type { StackDiffOptions } from '../diff/diffed-tree.ts';
import { errnoOf, LayerError, type LayerErrorCode } from '../error.ts';
import type { Rewriting } from '../rewrite/contract.ts';

/** Bytes that may be under way to a worker, or from it, before it must say that it has dealt with some. */
export const creditWindow = 2 << 20;

/** Where a job's input comes from: chunks sent to it, or a file that it reads itself. */
export type JobInput = 'chunks' | { readonly path: string };

/** A layer's tar on this machine: as a header list and the folder that it is about, or as a blob in whatever compression. */
export type CompressibleTar = { readonly headerList: string; readonly folder: string } | { readonly blob: string };

/** Who works on a layer besides, each in a thread of its own. */
export interface Partners {
  /** Does `placeFrom` at the other end. */
  readonly placer: MessagePort;
  /** Does `hashFrom`. */
  readonly hasher: MessagePort;
}

export type Job =
  | {
      readonly kind: 'apply';
      readonly dir: string;
      readonly options: Omit<ApplyOptions, 'signal'>;
      readonly input: JobInput;
      /** An open file that gets the bytes as they come; descriptors are shared by all threads. */
      readonly ingestFd?: number | undefined;
      /** How many bytes at the input's start that file has already: they are read from there. */
      readonly ingested?: number | undefined;
      readonly expect?: { readonly digest: Digest; readonly size: number } | undefined;
      readonly partners?: Partners | undefined;
    }
  /** Part of an `apply`: puts on disk what comes through a port. */
  | {
      readonly kind: 'place';
      readonly dir: string;
      readonly options: Omit<ApplyOptions, 'signal'>;
      readonly port: MessagePort;
    }
  | { readonly kind: 'diff'; readonly task: LayerTask }
  | { readonly kind: 'diff-stack'; readonly stack: readonly string[]; readonly options: StackDiffOptions }
  | { readonly kind: 'record-stats'; readonly folder: string; readonly statsFile: string }
  | {
      readonly kind: 'compress';
      readonly input: 'chunks' | CompressibleTar;
      readonly compression: Compression;
      readonly level?: number | undefined;
      /** An open file that gets the bytes, which are then not sent; it is on the disk when the job is done. */
      readonly outputFd?: number | undefined;
    }
  | {
      readonly kind: 'pack';
      readonly task: LayerTask;
      readonly compression: Compression;
      readonly level?: number | undefined;
      readonly outputFd: number;
    }
  | { readonly kind: 'survey'; readonly input: JobInput }
  | {
      readonly kind: 'rewrite';
      readonly how: Rewriting;
      readonly compression: Compression;
      readonly level?: number | undefined;
      readonly outputFd: number;
    };

export type ToWorker =
  | { readonly job: number; readonly kind: 'start'; readonly task: Job; readonly stop: SharedArrayBuffer }
  | { readonly job: number; readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly job: number; readonly kind: 'end' }
  | { readonly job: number; readonly kind: 'abort' }
  | { readonly job: number; readonly kind: 'credit'; readonly bytes: number };

export type FromWorker =
  | { readonly job: number; readonly kind: 'chunk'; readonly bytes: Uint8Array }
  /** The memory of a chunk comes back, to be filled again. */
  | { readonly job: number; readonly kind: 'credit'; readonly bytes: number; readonly memory: ArrayBuffer }
  | { readonly job: number; readonly kind: 'done'; readonly result: unknown }
  | { readonly job: number; readonly kind: 'failed'; readonly error: FlatError };

/** An error as it crosses threads: structured clone would lose its class and fields. */
export interface FlatError {
  readonly room: 'layer' | 'system' | 'other';
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly errno: string | undefined;
}

export function flatten(error: unknown): FlatError {
  const name = error instanceof Error ? error.name : '';
  const room = name === 'LayerError' ? 'layer' : name === 'SystemError' ? 'system' : 'other';
  const ours = isSlipwayError(error);
  return {
    room,
    code: ours ? String(error.code) : 'WORKER_FAILED',
    message: messageOf(error),
    hint: ours ? error.hint : undefined,
    errno: errnoOf(error),
  };
}

export function unflatten({ room, code, message, hint, errno }: FlatError): Error {
  if (room === 'system') return new SystemError(code as SystemErrorCode, message, { hint, errno });
  if (room === 'layer') return new LayerError(code as LayerErrorCode, message, { hint });
  return new LayerError('WORKER_FAILED', message, { hint });
}
