import type { Passage, StageValue } from './definition.ts';
import { withHeredoc } from './inline-text.ts';
import { charactersOf, type DockerfileText } from './literal.ts';
import { originOf } from './origin.ts';
import { expandable, flag, instructionLine, invalid, wordsOrJson } from './quoting.ts';

interface PlacingOptions {
  /** `user[:group]`, names or numbers; root unless given. */
  readonly chown?: DockerfileText;
  /** A number such as 0o755, or `chmod`'s own form: `u=rwX,go=rX`. */
  readonly chmod?: number | DockerfileText;
  /** Whether the files make a layer that does not depend on those before. */
  readonly link?: boolean;
  /** Patterns of what is left out. */
  readonly exclude?: readonly DockerfileText[];
}

/** Flags of COPY. */
export interface StageCopyOptions extends PlacingOptions {
  /** A stage, the name of one, or an image; the build context unless given. */
  readonly from?: StageValue | string;
  /** Whether folders of the source path are made too. */
  readonly parents?: boolean;
}

/** Flags of ADD. */
export interface StageAddOptions extends PlacingOptions {
  /** What a download or a git commit must be. */
  readonly checksum?: DockerfileText;
  readonly keepGitDir?: boolean;
  /** Whether archives are unpacked; unless given, those of the context are and downloads are not. */
  readonly unpack?: boolean;
}

/** What the file is like, and where it stands. */
export interface StageWriteOptions {
  readonly owner?: DockerfileText;
  /** A number such as 0o755, or `chmod`'s own form. */
  readonly mode?: number | DockerfileText;
  readonly link?: boolean;
}

/** One path or several. */
export type Sources = DockerfileText | readonly DockerfileText[];

/** COPY. */
export function copyFiles(sources: Sources, destination: DockerfileText, options: StageCopyOptions): Passage {
  const origin = options.from === undefined ? undefined : originOf(options.from);
  const flags = [...placingFlags(options), ...booleanFlag('parents', options.parents)];
  const paths = pathsOf('COPY', sources, destination);
  return {
    reads: origin === undefined ? [] : [origin],
    write: (nameOf) => {
      const from = origin === undefined ? [] : [flag('from', nameOf(origin))];
      return instructionLine('COPY', ...from, ...flags, paths);
    },
  };
}

/** ADD. */
export function addFiles(sources: Sources, destination: DockerfileText, options: StageAddOptions): Passage {
  const line = instructionLine(
    'ADD',
    ...placingFlags(options),
    ...textFlag('checksum', options.checksum),
    ...booleanFlag('keep-git-dir', options.keepGitDir),
    ...booleanFlag('unpack', options.unpack),
    pathsOf('ADD', sources, destination),
  );
  return { reads: [], write: () => line };
}

/** COPY of a heredoc. */
export function writeFile(path: DockerfileText, text: DockerfileText, options: StageWriteOptions): Passage {
  const destination = expandable(path);
  const characters = charactersOf(path);
  if (/^$|(?:^|\/)\.{0,2}$/.test(characters)) throw invalid(`a file's path is wanted, not a folder's: ${characters}`);
  if (/[\t\v\f\r ]/.test(destination)) throw invalid(`the path of a text cannot hold blanks: ${characters}`);
  const { owner, mode, link } = options;
  const flags = [...textFlag('chown', owner), ...modeFlag(mode), ...booleanFlag('link', link)];
  const { content, expanded } = heredocContent(text);
  const instruction = withHeredoc(content, (terminator) =>
    instructionLine('COPY', ...flags, expanded ? `<<${terminator}` : `<<'${terminator}'`, destination),
  );
  return { reads: [], write: () => instruction };
}

/** What a heredoc must hold to give `text`: in an expanded one backslashes escape, in the other nothing does. */
function heredocContent(text: DockerfileText): { readonly content: string; readonly expanded: boolean } {
  const characters = charactersOf(text);
  if (!/[$\\]/.test(characters)) return { content: characters, expanded: true };
  const expanded = typeof text === 'string' && text.includes('$');
  return { content: expanded ? characters.replaceAll('\\', String.raw`\\`) : characters, expanded };
}

function pathsOf(keyword: string, sources: Sources, destination: DockerfileText): string {
  const list = typeof sources === 'string' || 'literal' in sources ? [sources] : sources;
  if (list.length === 0) throw invalid(`${keyword} needs a source`);
  return wordsOrJson([...list, destination].map(expandable));
}

function placingFlags({ chown, chmod, link, exclude = [] }: PlacingOptions): string[] {
  return [
    ...textFlag('chown', chown),
    ...modeFlag(chmod),
    ...booleanFlag('link', link),
    ...exclude.map((pattern) => flag('exclude', excluded(pattern))),
  ];
}

/** A pattern without a dollar is not expanded, so that its own backslashes live. */
function excluded(pattern: DockerfileText): string {
  const text = charactersOf(pattern);
  return text.includes('$') ? expandable(pattern) : text;
}

function modeFlag(mode: number | DockerfileText | undefined): string[] {
  return textFlag('chmod', typeof mode === 'number' ? mode.toString(8) : mode);
}

function textFlag(name: string, value: DockerfileText | undefined): string[] {
  return value === undefined ? [] : [flag(name, expandable(value))];
}

function booleanFlag(name: string, value: boolean | undefined): string[] {
  if (value === undefined) return [];
  return [value ? `--${name}` : `--${name}=false`];
}
