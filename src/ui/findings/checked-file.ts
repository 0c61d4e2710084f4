import type { CheckedDockerfile } from '../../build/index.ts';

/** A Dockerfile and what a check of it came to. Offsets count in its text. */
export type CheckedFile = CheckedDockerfile;

/** In which form findings are shown. */
export type FindingsFormat = 'human' | 'json' | 'sarif' | 'github';

export const findingsFormats: readonly FindingsFormat[] = ['human', 'json', 'sarif', 'github'];
