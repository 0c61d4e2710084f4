import { FunctionFailure } from '../hcl/limits.ts';
import { fixed, type Functions } from './define.ts';

interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: readonly string[];
}

/** A version of a constraint; parts that are missing or `x` are open. */
interface Partial extends Version {
  /** How many parts are given. */
  readonly given: number;
}

type Check = (version: Version) => boolean;

export const semverFunctions: Functions = {
  semvercmp: fixed(['string', 'string'], (text, constraint) => {
    const version = parsePartial(text, 0);
    return constraint.split('||').some((group) => parseGroup(group)(version));
  }),
};

const pattern = /^v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

function parsePartial(text: string, argument: number): Partial {
  const match = pattern.exec(text.trim());
  const isOpen = (part: string | undefined): boolean => part === undefined || /^[xX*]$/.test(part);
  if (match === null || (argument === 0 && match.slice(1, 4).some((part) => part !== undefined && isOpen(part))))
    throw new FunctionFailure(`${JSON.stringify(text)} is not a version`, argument);
  const parts = match.slice(1, 4);
  const open = parts.findIndex(isOpen);
  const given = open < 0 ? 3 : open;
  const numbers = parts.map((part, index) => (index < given ? Number(part) : 0)) as [number, number, number];
  return { numbers, pre: match[4]?.split('.') ?? [], given };
}

const item = /\s*(!=|>=|=>|<=|=<|~>|[=<>~^])?\s*(v?[0-9xX*][^\s,<>=!~^]*)\s*(?:,|(?=\s|$|[!<>=~^]))/y;

/** Constraints of one group, parted by commas or blanks, hold together. */
function parseGroup(text: string): Check {
  const ranges = text.replace(/(\S+)\s+-\s+(\S+)/g, '>=$1 <=$2').trim();
  const checks: Check[] = [];
  item.lastIndex = 0;
  while (item.lastIndex < ranges.length) {
    const at = item.lastIndex;
    const match = item.exec(ranges);
    if (match === null) throw new FunctionFailure(`${JSON.stringify(ranges.slice(at))} is not a constraint`, 1);
    checks.push(checkOf(match[1] ?? '', parsePartial(match[2] ?? '', 1)));
  }
  if (checks.length === 0) throw new FunctionFailure('the constraint is empty', 1);
  return (version) => checks.every((check) => check(version));
}

function checkOf(operator: string, wanted: Partial): Check {
  // A version before its release fits only what names such a one.
  const admits = (version: Version): boolean => version.pre.length === 0 || wanted.pre.length > 0;
  const within =
    (end: Version): Check =>
    (version) =>
      admits(version) && compareVersions(version, wanted) >= 0 && compareVersions(version, end) < 0;
  switch (operator) {
    case '':
    case '=':
      if (wanted.given === 0) return (version) => version.pre.length === 0;
      return wanted.given < 3
        ? within(nextAt(wanted, wanted.given - 1))
        : (version) => admits(version) && compareVersions(version, wanted) === 0;
    case '!=':
      if (wanted.given < 3) return (version) => admits(version) && !within(nextAt(wanted, wanted.given - 1))(version);
      return (version) => admits(version) && compareVersions(version, wanted) !== 0;
    case '>':
      return (version) =>
        admits(version) &&
        (wanted.given < 3
          ? compareVersions(version, nextAt(wanted, wanted.given - 1)) >= 0
          : compareVersions(version, wanted) > 0);
    case '<':
      return (version) => admits(version) && compareVersions(version, wanted) < 0;
    case '>=':
    case '=>':
      return (version) => admits(version) && compareVersions(version, wanted) >= 0;
    case '<=':
    case '=<':
      return (version) =>
        admits(version) &&
        (wanted.given < 3
          ? compareVersions(version, nextAt(wanted, wanted.given - 1)) < 0
          : compareVersions(version, wanted) <= 0);
    case '^':
      return within(nextAt(wanted, caretPart(wanted)));
    default:
      if (wanted.given === 0) return (version) => version.pre.length === 0;
      return within(nextAt(wanted, wanted.given === 1 ? 0 : 1));
  }
}

/** `^` keeps the first part that is not zero. */
function caretPart({ numbers, given }: Partial): number {
  const first = numbers.findIndex((each) => each > 0);
  return first < 0 || first >= given ? Math.max(0, given - 1) : first;
}

function nextAt({ numbers }: Version, part: number): Version {
  if (part < 0) return { numbers: [Number.MAX_SAFE_INTEGER, 0, 0], pre: [] };
  const next = numbers.map((each, index) => (index < part ? each : index === part ? each + 1 : 0));
  return { numbers: next as unknown as Version['numbers'], pre: [] };
}

function compareVersions(a: Version, b: Version): number {
  for (let index = 0; index < 3; index++) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let index = 0; index < Math.max(a.pre.length, b.pre.length); index++) {
    const difference = comparePre(a.pre[index], b.pre[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePre(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (x && y) return Number(a) - Number(b);
  if (x !== y) return x ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
