import type { Job } from '../measure/index.ts';
import { builds } from './builds.ts';
import { cachedRebuild, contextHash } from './context.ts';
import { inspectRemote } from './inspect.ts';
import { language } from './language.ts';
import { memory } from './memory.ts';
import { packGzip4, packGzip6, packZstd } from './pack.ts';
import { pullAgain, pullDebian, pullTwelveLayers } from './pull.ts';
import { pulls } from './pulls.ts';
import { pushAgain, pushCold } from './push.ts';
import { rebuild } from './rebuild.ts';
import { singleFile } from './single-file.ts';
import { imagesList, smallRebuild, version } from './startup.ts';
import { steps, stepsFiles } from './steps.ts';
import { transfersPull, transfersPush } from './transfers.ts';
import { unpackDebian, unpackSmall } from './unpack.ts';

/** In the order in which they run and are listed. */
export const jobs: readonly Job[] = [
  version,
  imagesList,
  smallRebuild,
  singleFile,
  unpackDebian,
  unpackSmall,
  packGzip6,
  packGzip4,
  packZstd,
  pullDebian,
  pullTwelveLayers,
  pullAgain,
  pushCold,
  pushAgain,
  inspectRemote,
  transfersPull,
  transfersPush,
  contextHash,
  cachedRebuild,
  rebuild,
  steps,
  stepsFiles,
  language,
  memory,
  ...builds,
  ...pulls,
];
