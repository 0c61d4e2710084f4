import { misconfigured, type Place, quoted } from './place.ts';
import { locationProblem } from './registries-conf.ts';

/** `docker.io=mirror.example.com:5000/hub`: a mirror for all repositories below a prefix. */
export interface MirrorRule {
  readonly prefix: string;
  readonly location: string;
  /** Said by `http://` or `https://` before the location. */
  readonly scheme: 'http' | 'https' | undefined;
}

/**
 * Reads rules as `--registry-mirror` and SLIPWAY_REGISTRY_MIRROR have them, separated by white space or commas.
 * @throws RegistryError CONFIG
 */
export function parseMirrorRules(text: string, place: Place): readonly MirrorRule[] {
  return text
    .split(/[\s,]+/)
    .filter((item) => item !== '')
    .map((item) => parseRule(item, place));
}

function parseRule(item: string, place: Place): MirrorRule {
  const match = /^(?<prefix>[^=]+)=(?:(?<scheme>https?):\/\/)?(?<location>[^=]+?)\/*$/.exec(item);
  const { prefix = '', scheme, location = '' } = match?.groups ?? {};
  const problem =
    match === null ? 'this is not PREFIX=LOCATION' : (locationProblem(prefix) ?? locationProblem(location));
  // not quoted where someone wrote a user and a password into it
  if (problem !== undefined) {
    throw misconfigured(place, `${item.includes('@') ? 'a mirror' : quoted(item)}: ${problem}`, {
      hint: 'Such as docker.io=mirror.example.com:5000/hub, or with http:// before the location.',
    });
  }
  return { prefix, location, scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined };
}
