import type { Job } from '../measure/index.ts';
import { cachedRebuild, contextHash } from './context.ts';
import { language } from './language.ts';
import { memory } from './memory.ts';
import { pullAgain, pullDebian, pullTwelveLayers } from './pull.ts';
import { rebuild } from './rebuild.ts';
import { imagesList, version } from './startup.ts';
import { steps } from './steps.ts';
import { transfersPull, transfersPush } from './transfers.ts';

/** In the order in which they run and are listed. */
export const jobs: readonly Job[] = [
  version,
  imagesList,
  pullDebian,
  pullTwelveLayers,
  pullAgain,
  transfersPull,
  transfersPush,
  contextHash,
  cachedRebuild,
  rebuild,
  steps,
  language,
  memory,
];
