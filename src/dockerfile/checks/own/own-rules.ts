import type { FileRule } from '../subject.ts';
import { addInsteadOfCopy } from './add-instead-of-copy.ts';
import { apkCacheNotRemoved } from './apk-cache-not-removed.ts';
import { aptGetListsNotRemoved } from './apt-get-lists-not-removed.ts';
import { aptGetNoInstallRecommends } from './apt-get-no-install-recommends.ts';
import { aptGetUpdateAlone } from './apt-get-update-alone.ts';
import { aptInsteadOfAptGet } from './apt-instead-of-apt-get.ts';
import { cleanupInLaterLayer } from './cleanup-in-later-layer.ts';
import { copyBeforeDependencyInstall } from './copy-before-dependency-install.ts';
import { copyThenChown } from './copy-then-chown.ts';
import { dnfCacheNotRemoved } from './dnf-cache-not-removed.ts';
import { lostShellState } from './lost-shell-state.ts';
import { missingUser } from './missing-user.ts';
import { pipCacheNotRemoved } from './pip-cache-not-removed.ts';
import { secretFileCopied } from './secret-file-copied.ts';
import { unpinnedBaseImage } from './unpinned-base-image.ts';

/** The rules of ours, beyond those that every build of BuildKit's checks. */
export const ownRules: readonly FileRule[] = [
  addInsteadOfCopy,
  apkCacheNotRemoved,
  aptGetListsNotRemoved,
  aptGetNoInstallRecommends,
  aptGetUpdateAlone,
  aptInsteadOfAptGet,
  cleanupInLaterLayer,
  copyBeforeDependencyInstall,
  copyThenChown,
  dnfCacheNotRemoved,
  lostShellState,
  missingUser,
  pipCacheNotRemoved,
  secretFileCopied,
  unpinnedBaseImage,
];
