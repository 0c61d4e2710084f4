import { Range, SemVer } from 'semver';
import { UsageError } from '../../errors.ts';
import type { TagFilter } from './contract.ts';

/** Says which of some tags a filter lets in, in their order. */
export type TagChoice = (tags: readonly string[]) => readonly string[];

/**
 * Reads a filter.
 * @throws UsageError for what is no expression or range
 */
export function tagChoice(filter: TagFilter): TagChoice {
  const include = filter.include?.map(wholeTag);
  const exclude = (filter.exclude ?? []).map(wholeTag);
  const ranges = filter.semver?.map(rangeOf);
  return (tags) =>
    tags.filter((tag) => {
      if (exclude.some((expression) => expression.test(tag))) return false;
      if (include === undefined && ranges === undefined) return true;
      return (
        (include ?? []).some((expression) => expression.test(tag)) || (ranges ?? []).some((range) => isIn(tag, range))
      );
    });
}

function wholeTag(expression: string): RegExp {
  try {
    return new RegExp(`^(?:${expression})$`, 'u');
  } catch (cause) {
    throw new UsageError(`not a regular expression: ${expression}`, { cause });
  }
}

function rangeOf(text: string): Range {
  try {
    return new Range(text);
  } catch (cause) {
    throw new UsageError(`not a range of versions: ${text}`, {
      cause,
      hint: 'Ranges look like >=1.20 <2, ^3.1 or 1.x.',
    });
  }
}

/** `v1`, `1.2` and `1.2.3-rc.1`; what a tag writes as `_` a version writes as `+`. */
function isIn(tag: string, range: Range): boolean {
  const match = /^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(-[0-9A-Za-z.-]+)?(?:[_+][0-9A-Za-z._-]+)?$/.exec(tag);
  if (match === null) return false;
  const [, major = '0', minor = '0', patch = '0', prerelease = ''] = match;
  const numbers = [major, minor, patch].map(Number).join('.');
  try {
    return range.test(new SemVer(`${numbers}${prerelease}`));
  } catch {
    // a prerelease such as -01, which no version has
    return false;
  }
}
