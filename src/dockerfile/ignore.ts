import { DockerfileError } from './error.ts';
import { compileGlob, createGlobMatcher, type GlobToken, parseGlob } from './glob.ts';
import { cleanPath } from './stage-graph/paths.ts';
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

/** What the ignore file of a Dockerfile may be called, the one that counts first; the last one lies in the context's root. */
export function ignoreFileNames(dockerfile: string): readonly [own: string, common: string] {
  return [`${dockerfile}.dockerignore`, '.dockerignore'];
}

type NameTest = (name: string) => boolean;

interface Rule {
  readonly includes: boolean;
  /** Tests of the pattern's components before the last one or the first `**`. */
  readonly heads: readonly NameTest[];
  /**
   * What else a path must be once its folders match `heads`: `exact`, one component more; `deep`, at any depth below;
   * `whole`, whatever `test` says of it all.
   */
  readonly kind: 'exact' | 'deep' | 'whole';
  /** Asked only for paths in folders that `mayMatchIn`; folders above a path have been asked before. */
  readonly test: (path: string, name: string) => boolean;
}

/** What is known of a folder, for all that is in it. Rules are numbered from the last one, which decides. */
interface FolderState {
  /** Names from the root to here. */
  readonly depth: number;
  /** The first rule that matches the folder or one above it; their number if none. */
  readonly decided: number;
  /** Rules before `decided` that can still say otherwise of something here or below. */
  readonly live: readonly number[];
  /** Those of them that can match something right in this folder. */
  readonly open: readonly number[];
}

/** Folders remembered at once. */
const maxFolders = 20_000;

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
  const all = rules.map((_, index) => index);
  const top = folderState(rules, { depth: 0, decided: rules.length, live: all });
  const stateOfFolder = (dir: string): FolderState => {
    let state = folders.get(dir);
    if (state !== undefined) return state;
    // From the nearest folder that is known on; without recursion, for a Dockerfile may name any depth.
    const unknown: string[] = [];
    for (let path = dir; state === undefined; ) {
      unknown.push(path);
      const slash = path.lastIndexOf('/');
      path = slash < 0 ? '' : path.slice(0, slash);
      state = slash < 0 ? top : folders.get(path);
    }
    for (const path of unknown.toReversed()) {
      state = below(rules, state, { path, name: path.slice(path.lastIndexOf('/') + 1) });
      if (folders.size >= maxFolders) folders.clear();
      folders.set(path, state);
    }
    return state;
  };
  let last = { dir: '', state: top };
  /** The number of the rule that decides about `path`. */
  const decide = (path: string): number => {
    const slash = path.lastIndexOf('/');
    // Walkers ask for one folder's entries after another.
    if (slash >= 0 && (slash !== last.dir.length || !path.startsWith(last.dir))) {
      const dir = path.slice(0, slash);
      last = { dir, state: stateOfFolder(dir) };
    }
    const state = slash < 0 ? top : last.state;
    return state.open.length === 0 ? state.decided : firstMatch(rules, state, { path, name: path.slice(slash + 1) });
  };
  return {
    matches: (path) => path !== '' && path !== '.' && rules[decide(path)]?.includes === false,
    mayHaveIncluded(dir) {
      if (dir === '' || dir === '.') return true;
      const { decided, live } = stateOfFolder(dir);
      // All below is excluded by the same pattern, so that only a later `!` can bring something back.
      return rules[decided]?.includes !== false || live.length > 0;
    },
  };
}

interface Entry {
  readonly path: string;
  readonly name: string;
}

function firstMatch(rules: readonly Rule[], { open, decided }: FolderState, { path, name }: Entry): number {
  for (const index of open) if (rules[index]?.test(path, name) === true) return index;
  return decided;
}

/** The state of a folder from that of the one it is in. */
function below(rules: readonly Rule[], parent: FolderState, folder: Entry): FolderState {
  if (parent.live.length === 0) return parent; // nothing can change any more
  const decided = firstMatch(rules, parent, folder);
  const depth = parent.depth + 1;
  const live = parent.live.filter((index) => {
    const rule = rules[index];
    if (rule === undefined || index >= decided) return false;
    const head = rule.heads[depth - 1];
    return head === undefined ? rule.kind !== 'exact' : head(folder.name);
  });
  return folderState(rules, { depth, decided, live });
}

/** Leaves out rules that say no more than what is decided, with none in between that says otherwise. */
function folderState(rules: readonly Rule[], { depth, decided, live }: Omit<FolderState, 'open'>): FolderState {
  const included = rules[decided]?.includes ?? true;
  const last = live.findLastIndex((index) => rules[index]?.includes !== included);
  const changing = live.slice(0, last + 1);
  const open = changing.filter((index) => {
    const { kind, heads } = rules[index] ?? { kind: 'exact', heads: [] };
    return kind === 'exact' ? heads.length === depth : heads.length <= depth;
  });
  return { depth, decided, live: changing, open };
}

function createRule(written: string): Rule {
  const cleaned = cleanPath(written);
  const includes = cleaned.startsWith('!');
  const pattern = includes ? cleaned.slice(1) : cleaned;
  if (pattern === '') throw new DockerfileError('INVALID_PATTERN', 'illegal exclusion pattern: "!"');
  parseGlob(pattern, { folders: false }); // checks what Go's filepath.Match would refuse
  return { includes, ...readPattern(pattern) };
}

function readPattern(pattern: string): Omit<Rule, 'includes'> {
  if (/[[\\]/.test(pattern)) return { kind: 'whole', heads: [], test: createTest(pattern) };
  const components = pattern.split('/');
  const deep = components.findIndex((component) => component.includes('**'));
  const last = createNameTest(components.at(-1) ?? '');
  if (deep < 0) {
    return { kind: 'exact', heads: components.slice(0, -1).map(createNameTest), test: (_, name) => last(name) };
  }
  const heads = components.slice(0, deep).map(createNameTest);
  if (components[deep] === '**' && deep === components.length - 2 && !components.at(-1)?.includes('**')) {
    return { kind: 'deep', heads, test: (_, name) => last(name) };
  }
  return { kind: 'whole', heads, test: createTest(pattern) };
}

/** `**` at one end needs no regular expression. */
function createTest(pattern: string): Rule['test'] {
  const tokens = parseGlob(pattern, { folders: true });
  if (tokens[0]?.kind === 'rest') return () => true;
  const suffix = tokens[0]?.kind === 'folders' ? plainText(tokens.slice(1)) : undefined;
  if (suffix !== undefined) {
    if (pattern.startsWith('**/')) return (path) => path === suffix || path.endsWith(`/${suffix}`);
    // `**x` without a slash is any path that ends in x (patternmatcher's suffix match); `***x` and `**\\x` are not.
    if (!/^\*{3}|\\/.test(pattern)) return (path) => path.endsWith(suffix);
  }
  const prefix = tokens.at(-1)?.kind === 'rest' ? plainText(tokens.slice(0, -1)) : undefined;
  if (prefix !== undefined) return (path) => path.startsWith(prefix);
  return compileGlob(tokens, { below: true });
}

function createNameTest(component: string): NameTest {
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
