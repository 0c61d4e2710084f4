import type { Descriptor } from './descriptor.ts';
import { OciError } from './error.ts';
import type { ImageIndex } from './manifest.ts';
import { formatPlatform, normalizePlatform, type Platform } from './platform.ts';

/** BuildKit's mark on provenance and SBOM manifests in an index. */
export const attestationAnnotation = 'vnd.docker.reference.type';

/**
 * What a machine of `platform` can run, best first, as containerd's `Only`: amd64/v3 runs v2, plain amd64 and 386; arm/v7
 * runs v6 and v5; arm64 runs 32-bit arm.
 */
export function compatiblePlatforms(platform: Platform): readonly Platform[] {
  const normal = normalizePlatform(platform);
  const { variant, ...base } = normal;
  const as = (architecture: string, version?: string): Platform =>
    normalizePlatform({ ...base, architecture, ...(version === undefined ? {} : { variant: version }) });
  switch (normal.architecture) {
    case 'amd64':
      return [normal, ...versionsBelow(variant, 1).map((version) => as('amd64', version)), as('386')];
    case 'arm':
      return [normal, ...versionsBelow(variant, 5).map((version) => as('arm', version))];
    case 'arm64':
      return [
        normal,
        ...arm64Below(variant).map((version) => as('arm64', version)),
        ...['v8', 'v7', 'v6', 'v5'].map((version) => as('arm', version)),
      ];
    default:
      return [normal];
  }
}

function versionsBelow(variant: string | undefined, lowest: number): readonly string[] {
  const version = /^v(\d{1,2})$/.exec(variant ?? '')?.[1];
  const count = version === undefined ? 0 : Math.max(0, Number(version) - lowest);
  return Array.from({ length: count }, (_, at) => `v${Number(version) - 1 - at}`);
}

/** ARM 9.n has everything of 8.(n+5) (the Arm architecture supplement), and each minor version what is below it. */
function arm64Below(variant: string | undefined): readonly string[] {
  const match = /^v([89])(?:\.([0-9]))?$/.exec(variant ?? '');
  if (match === null) return [];
  const minor = Number(match[2] ?? 0);
  const descending = (major: number, from: number): string[] =>
    Array.from({ length: from + 1 }, (_, at) => (from === at ? `v${major}` : `v${major}.${from - at}`));
  if (match[1] === '8') return descending(8, minor - 1);
  return [...descending(9, minor - 1), ...descending(8, Math.min(9, minor + 5))];
}

/** How well a machine of `wanted` runs `offered`: 0 is best, undefined is not at all. */
export function platformRank(wanted: Platform, offered: Platform): number | undefined {
  const normal = normalizePlatform(offered);
  const rank = compatiblePlatforms(wanted).findIndex(
    (each) => each.os === normal.os && each.architecture === normal.architecture && each.variant === normal.variant,
  );
  return rank < 0 || !sameWindows(wanted, offered) ? undefined : rank;
}

/** Windows containers run only on the build they were made for. */
function sameWindows(wanted: Platform, offered: Platform): boolean {
  if (wanted.os !== 'windows' || wanted.osVersion === undefined || offered.osVersion === undefined) return true;
  const build = (version: string): string => version.split('.').slice(0, 3).join('.');
  return build(wanted.osVersion) === build(offered.osVersion);
}

/** True for an entry that is no image: an attestation, or `unknown/unknown`. */
export function isAttestation(descriptor: Descriptor): boolean {
  const { platform, annotations } = descriptor;
  if (annotations !== undefined && Object.hasOwn(annotations, attestationAnnotation)) return true;
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

/**
 * The entry of `index` that suits `platform` best; the first of equals. An entry without platform is taken where it is
 * the only image. The result can be an index again.
 * @throws OciError NO_MATCHING_PLATFORM
 */
export function selectManifest(index: ImageIndex, platform: Platform): Descriptor {
  const images = index.manifests.filter((each) => !isAttestation(each));
  let best: { rank: number; descriptor: Descriptor } | undefined;
  for (const descriptor of images) {
    const rank = descriptor.platform && platformRank(platform, descriptor.platform);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { rank, descriptor };
  }
  if (best !== undefined) return best.descriptor;
  const [only, ...others] = images;
  if (only !== undefined && others.length === 0 && only.platform === undefined) return only;
  throw new OciError('NO_MATCHING_PLATFORM', `no image for ${formatPlatform(platform)}`, {
    hint: `there is: ${offeredPlatforms(images)}`,
  });
}

function offeredPlatforms(images: readonly Descriptor[]): string {
  const names = new Set(images.map(({ platform }) => (platform ? formatPlatform(platform) : 'unstated')));
  return names.size === 0 ? 'nothing' : [...names].slice(0, 30).join(', ');
}
