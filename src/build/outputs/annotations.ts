import { formatPlatform, normalizePlatform, parsePlatform, type Platform } from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import { type Annotation, type AnnotationPlace, annotationPlaces } from './output.ts';

const attribute = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/.()-]+)\])?\.(\S+)$/;

/** `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest[linux/amd64].KEY` of an output; undefined for another attribute. */
export function annotationAttribute(name: string, value: string): Annotation | undefined {
  const match = attribute.exec(name);
  if (match === null) return undefined;
  const [, place = 'manifest', platform, key = ''] = match;
  return annotationOf({ place, platform, key, value }, name);
}

/**
 * `--annotation`: `KEY=VALUE`, or `PLACE[,PLACE]:KEY=VALUE`, each place perhaps with a platform: `manifest[linux/amd64]:KEY=VALUE`.
 * @param place of one that says none
 * @throws BuildError OUTPUT_INVALID
 */
export function parseAnnotation(text: string, place: AnnotationPlace = 'manifest'): readonly Annotation[] {
  const equals = text.indexOf('=');
  if (equals < 1) throw invalid(text, 'it is not KEY=VALUE');
  const [before, value] = [text.slice(0, equals), text.slice(equals + 1)];
  const colon = before.indexOf(':');
  const key = before.slice(colon + 1);
  if (key === '') throw invalid(text, 'the key is missing');
  if (colon < 0) return [{ on: place, key, value }];
  return before
    .slice(0, colon)
    .split(',')
    .map((word) => {
      const [, named, platform] = /^([a-z-]+)(?:\[([A-Za-z0-9_/.()-]+)\])?$/.exec(word) ?? [];
      if (named === undefined) throw invalid(text, `${JSON.stringify(word)} is no place for annotations`);
      return annotationOf({ place: named, platform, key, value }, text);
    });
}

interface Parts {
  readonly place: string;
  readonly platform: string | undefined;
  readonly key: string;
  readonly value: string;
}

function annotationOf({ place, platform, key, value }: Parts, text: string): Annotation {
  const on = annotationPlaces.find((each) => each === place);
  if (on === undefined)
    throw invalid(text, `unknown annotation type ${JSON.stringify(place)}`, `types are ${annotationPlaces.join(', ')}`);
  if (platform === undefined) return { on, key, value };
  if (on === 'index' || on === 'index-descriptor') throw invalid(text, 'an index is for no single platform');
  return { on, platform: parsePlatform(platform), key, value };
}

function invalid(text: string, why: string, hint?: string): BuildError {
  return new BuildError('OUTPUT_INVALID', `invalid annotation ${JSON.stringify(text)}: ${why}`, {
    exitCode: 125,
    hint,
  });
}

/** Those of a place, for a platform where it is one's; undefined where there are none. */
export function annotationsOn(
  place: AnnotationPlace,
  annotations: readonly Annotation[],
  platform?: Platform,
): Readonly<Record<string, string>> | undefined {
  const wanted = platform === undefined ? undefined : formatPlatform(normalizePlatform(platform));
  const found = annotations.filter(
    (each) => each.on === place && (each.platform === undefined || formatPlatform(each.platform) === wanted),
  );
  return found.length === 0 ? undefined : Object.fromEntries(found.map(({ key, value }) => [key, value]));
}
