import type { ImageForm } from '../../store/index.ts';

/** What `--cache-from` and `--cache-to` ask for. */
export interface CacheRequest {
  readonly from: readonly CachePlace[];
  readonly to: readonly CacheExport[];
}

/** Where a cache is. */
export type CachePlace =
  | { readonly type: 'registry' /** Full name. */; readonly ref: string }
  | { readonly type: 'local'; readonly path: string /** A tag of the layout, or a digest. */; readonly tag: string }
  | S3Place
  | GhaPlace;

/** A bucket with the S3 protocol. */
export interface S3Place {
  readonly type: 's3';
  readonly bucket: string;
  readonly region: string;
  /** What all names in the bucket begin with; empty, or with a slash at its end. */
  readonly prefix: string;
  /** Names of the cache. One is read, all are written. */
  readonly names: readonly string[];
  readonly endpoint: string | undefined;
  readonly pathStyle: boolean;
}

/** GitHub's cache service, as a job of its actions reaches it. */
export interface GhaPlace {
  readonly type: 'gha';
  readonly scope: string;
  /** Milliseconds for all of an import or export. */
  readonly timeout: number;
  /** In place of ACTIONS_RESULTS_URL. */
  readonly url: string | undefined;
}

/** `--cache-to`: within the image itself, or to a place of its own. */
export type CacheExport =
  | { readonly type: 'inline' }
  | {
      readonly type: 'place';
      readonly place: CachePlace;
      readonly mode: CacheMode;
      readonly form: ImageForm;
      /** False: a failure to export fails the build. */
      readonly ignoreError: boolean;
    };

/** `min`: layers of the result alone; `max`: layers of all steps. Records are always of all steps. */
export type CacheMode = 'min' | 'max';
