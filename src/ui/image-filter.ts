import { UsageError } from '../errors.ts';
import { familiarName, familiarRepository, parseReference } from '../oci/index.ts';
import type { ImageRecord } from '../store/index.ts';

/** What a list of images is narrowed to: whole images, and of these only some names. */
export interface ImageFilter {
  readonly image: (image: ImageRecord) => boolean;
  readonly name: (name: string) => boolean;
}

/**
 * Docker's `--filter` of images: different keys must all hold; of several `reference` patterns one is enough.
 * @param find an image by name or id, for `before` and `since`
 * @throws UsageError in docker's words
 */
export function imageFilter(filters: readonly string[], find: (name: string) => ImageRecord | undefined): ImageFilter {
  const rules: ((image: ImageRecord) => boolean)[] = [];
  const patterns: RegExp[] = [];
  for (const filter of filters) {
    const [, key, value] = /^([^=]*)=(.*)$/s.exec(filter) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(
        `invalid argument "${filter}" for "-f, --filter" flag: bad format of filter (expected name=value)`,
      );
    }
    if (key === 'reference') patterns.push(patternOf(value));
    else rules.push(ruleOf(key, value, find));
  }
  const name = (full: string): boolean => patterns.length === 0 || patterns.some((pattern) => isNamed(full, pattern));
  const image = (each: ImageRecord): boolean =>
    rules.every((rule) => rule(each)) && (patterns.length === 0 || each.names.some(name));
  return { image, name };
}

function ruleOf(
  key: string,
  value: string,
  find: (name: string) => ImageRecord | undefined,
): (image: ImageRecord) => boolean {
  switch (key) {
    case 'dangling': {
      if (!/^(?:true|false|1|0)$/.test(value)) return refuse(`invalid filter 'dangling=[${value}]'`);
      const dangling = value === 'true' || value === '1';
      return (image) => (image.names.length === 0 && image.partOf.length === 0) === dangling;
    }
    case 'label': {
      const [label = '', ...wanted] = value.split('=');
      const text = wanted.length === 0 ? undefined : wanted.join('=');
      return ({ config }) => {
        const found = config.config.Labels?.[label];
        return found !== undefined && (text === undefined || found === text);
      };
    }
    case 'before':
    case 'since': {
      const pivot = find(value) ?? refuse(`No such image: ${value}`);
      const sign = key === 'before' ? -1 : 1;
      return (image) => sign * (timeOf(image) - timeOf(pivot)) > 0;
    }
    default:
      return refuse(`invalid filter '${key}'`);
  }
}

function timeOf({ config }: ImageRecord): number {
  return config.created === undefined ? 0 : Date.parse(config.created);
}

/** Matches `repository` and `repository:tag` in the short form that people see. */
function isNamed(full: string, pattern: RegExp): boolean {
  const reference = parseReference(full);
  return pattern.test(familiarName(reference)) || pattern.test(familiarRepository(reference));
}

/** Go's path.Match: `*` and `?` stop at slashes; `[a-c]`, `[^a]`; a backslash takes the next character as it is. */
function patternOf(text: string): RegExp {
  const source = text.replace(/\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|([\s\S])/g, (_, escaped, not, set, plain) => {
    if (set !== undefined) return `[${not}${String(set).replace(/[[&~|]/g, '\\$&')}]`;
    const letter = String(escaped ?? plain);
    if (escaped === undefined && letter === '*') return '[^/]*';
    return escaped === undefined && letter === '?' ? '[^/]' : letter.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch (cause) {
    throw new UsageError(`invalid reference filter: '${text}'`, { exitCode: 1, cause });
  }
}

function refuse(message: string): never {
  throw new UsageError(message, { exitCode: 1 });
}
