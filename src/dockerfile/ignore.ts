import { posix } from 'node:path';
import { DockerfileError } from './error.ts';
import { compileGlob, createGlobMatcher, type GlobToken, parseGlob } from './glob.ts';
import { decodeText, trim } from './text.ts';

/** What an ignore file, or a list of `--exclude`, says of paths: relative, parted by `/`, without a trailing one. */
export interface IgnoreMatcher {
  /** Whether `path` is excluded, by itself or through a folder above it. */
  matches(path: string): boolean;
  /**
   * Whether something in the folder `dir` (however deep) may be included. False lets a walker pass over an excluded
   * folder; an excluded folder for which it is true is to be entered, but nothing of it taken that `matches`.
   */
  mayHaveIncluded(dir: string): boolean;
}

/**
 * The patterns of an ignore file, cleaned as moby/patternmatcher does: byte order mark dropped, `#` in the first column
 * is a comment, blanks trimmed, paths cleaned, one leading slash dropped.
 */
export function parseIgnore(input: string | Uint8Array): string[] {
  const text = decodeText(input);
  const patterns: string[] = [];
  for (const line of (text.startsWith('\ufeff') ? text.slice(1) : text).split('\n')) {
    if (line.startsWith('#')) continue;
    const pattern = trim(line);
    if (pattern === '') continue;
    patterns.push(pattern.startsWith('!') ? `!${cleanLine(trim(pattern.slice(1)))}` : cleanLine(pattern));
  }
  return patterns;
}

function cleanLine(pattern: string): string {
  if (pattern === '') return '';
  const cleaned = cleanPath(pattern);
  return cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned;
}

/** Go's path.Clean. */
function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

interface Rule {
  readonly includes: boolean;
  /** Components of the pattern; undefined where only the whole can be judged. */
  readonly components: readonly string[] | undefined;
  /** How many components a path that matches by itself has; undefined: any number. */
  readonly depth: number | undefined;
  /** Whether a path, whose last component is `name`, matches by itself. What is above it has been asked before. */
  readonly test: (path: string, name: string) => boolean;
}

/** What is known of a folder, for all that is in it. Rules are numbered from the last one, which decides. */
interface FolderState {
  /** The first rule that matches the folder or one above it; their number if none. */
  readonly decided: number;
  /** Rules before `decided` that can match something right in this folder. */
  readonly open: readonly number[];
}

/** Folders remembered at once. */
const maxFolders = 10_000;

/**
 * Compiles patterns; of those that match a path or a folder above it, the last one decides. Folders are remembered, so
 * that a path is only asked for what its own name can change.
 * @throws DockerfileError INVALID_PATTERN
 */
export function createIgnoreMatcher(patterns: readonly string[]): IgnoreMatcher {
  const rules = patterns
    .map(trim)
    .filter((pattern) => pattern !== '')
    .map(createRule)
    .toReversed();
  const folders = new Map<string, FolderState>();
  const stateOf = (decided: number, depth: number): FolderState => ({
    decided,
    open: rules.flatMap((rule, index) =>
      index < decided && (rule.depth === undefined || rule.depth === depth + 1) ? [index] : [],
    ),
  });
  const top = stateOf(rules.length, 0);
  const stateOfFolder = (dir: string): FolderState => {
    const known = folders.get(dir);
    if (known !== undefined) return known;
    const state = stateOf(decide(dir), dir.split('/').length);
    if (folders.size >= maxFolders) folders.clear();
    folders.set(dir, state);
    return state;
  };
  /** The number of the rule that decides about `path`. */
  const decide = (path: string): number => {
    const slash = path.lastIndexOf('/');
    const state = slash < 0 ? top : stateOfFolder(path.slice(0, slash));
    const name = path.slice(slash + 1);
    for (const index of state.open) if (rules[index]?.test(path, name) === true) return index;
    return state.decided;
  };
  return {
    matches: (path) => path !== '' && path !== '.' && rules[decide(path)]?.includes === false,
    mayHaveIncluded(dir) {
      if (dir === '' || dir === '.') return true;
      const decided = decide(dir);
      if (rules[decided]?.includes !== false) return true;
      // All below is excluded by the same pattern, so that only a later `!` can bring something back.
      return rules.slice(0, decided).some((rule) => rule.includes && mayMatchBelow(rule, dir));
    },
  };
}

function createRule(written: string): Rule {
  const cleaned = cleanPath(written);
  const includes = cleaned.startsWith('!');
  const pattern = includes ? cleaned.slice(1) : cleaned;
  if (pattern === '') throw new DockerfileError('INVALID_PATTERN', 'illegal exclusion pattern: "!"');
  parseGlob(pattern, { folders: false }); // checks what Go's filepath.Match would refuse
  const components = /[[\\]/.test(pattern) ? undefined : pattern.split('/');
  const depth = components === undefined || pattern.includes('**') ? undefined : components.length;
  return { includes, components, depth, test: createTest(pattern, depth) };
}

/** Plain names, `*.suffix`, and `**` at one end need no regular expression. */
function createTest(pattern: string, depth: number | undefined): Rule['test'] {
  const inAnyFolder = pattern.startsWith('**/') && !/[/[\\]|\*\*/.test(pattern.slice(3));
  if (depth === 1 || inAnyFolder) {
    const test = createNameTest(inAnyFolder ? pattern.slice(3) : pattern);
    return (_, name) => test(name);
  }
  const tokens = parseGlob(pattern, { folders: true });
  const whole = plainText(tokens);
  if (whole !== undefined) return (path) => path === whole;
  if (tokens[0]?.kind === 'rest') return () => true;
  const suffix = tokens[0]?.kind === 'folders' ? plainText(tokens.slice(1)) : undefined;
  if (suffix !== undefined) {
    // `**x` without a slash is any path that ends in x (patternmatcher's suffix match).
    if (!pattern.startsWith('**/')) return (path) => path.endsWith(suffix);
    return (path) => path === suffix || path.endsWith(`/${suffix}`);
  }
  const prefix = tokens.at(-1)?.kind === 'rest' ? plainText(tokens.slice(0, -1)) : undefined;
  if (prefix !== undefined) return (path) => path.startsWith(prefix);
  return compileGlob(tokens, { below: true });
}

function createNameTest(component: string): (name: string) => boolean {
  const suffix = component.startsWith('*') ? component.slice(1) : undefined;
  if (suffix !== undefined && !/[*?]/.test(suffix)) return (name) => name.endsWith(suffix);
  return createGlobMatcher(component);
}

function plainText(tokens: readonly GlobToken[]): string | undefined {
  const characters: string[] = [];
  for (const token of tokens) {
    if (token.kind !== 'one') return undefined;
    characters.push(token.character);
  }
  return characters.join('');
}

function mayMatchBelow({ components }: Rule, dir: string): boolean {
  if (components === undefined) return true;
  for (const [index, name] of dir.split('/').entries()) {
    const component = components[index];
    if (component === undefined || component.includes('**')) return true;
    if (!createGlobMatcher(component)(name)) return false;
  }
  return true;
}
