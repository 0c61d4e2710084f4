import type { CopyCommand } from '../../instructions/command.ts';
import { isUrlSource, parseGitSource } from '../../stage-graph/git-source.ts';
import { splitInstruction } from '../../arguments.ts';
import type { Fix } from '../finding.ts';
import type { FileRule, Subject, SubjectCommand } from '../subject.ts';

export const addInsteadOfCopy: FileRule = {
  name: 'AddInsteadOfCopy',
  description: 'Files of the context that are no archives should be copied with COPY',
  url: 'docs/checks/add-instead-of-copy.md',
  *find(subject) {
    for (const each of subject.stages.flatMap(({ commands }) => commands)) {
      const { command, instruction } = each;
      if (command.kind !== 'add' || !isPlain(command)) continue;
      yield {
        message: 'ADD is for downloads and archives; COPY does the same for these files',
        range: instruction.range,
        comments: instruction.comments,
        fix: toCopy(subject, each),
      };
    }
  },
};

/** Whether COPY would do exactly the same. */
function isPlain({ sources, files, checksum, keepGitDir, unpack }: CopyCommand): boolean {
  if (checksum !== '' || keepGitDir !== undefined || unpack !== undefined) return false;
  return sources.length + files.length > 0 && sources.every(isPlainSource);
}

const archive = /\.(?:tar|tgz|tbz2?|txz|tzst|tlz|gz|bz2|xz|zst|lzma|z)$/i;

/**
 * ADD unpacks by content, so a name has to tell: it has an ending that no archive has, or is a folder for sure.
 */
function isPlainSource(source: string): boolean {
  if (source.startsWith('$') || isUrlSource(source) || isGit(source)) return false;
  if (/^\.{0,2}\/?$|\/$/.test(source)) return true;
  const name = source.slice(source.lastIndexOf('/') + 1);
  const ending = /\.[A-Za-z][\w-]*$/.exec(name)?.[0];
  if (ending === undefined) return /^[\w-]+$/.test(name);
  return !archive.test(name) && !/[*?[\]$\\]/.test(ending);
}

function isGit(source: string): boolean {
  try {
    return parseGitSource(source) !== undefined;
  } catch {
    return true;
  }
}

/** COPY in the keyword's own case. */
function toCopy({ ast, positions }: Subject, { instruction }: SubjectCommand): Fix {
  const { name, nameSpan } = splitInstruction(instruction.line, ast.escape);
  const text = name === 'add' ? 'copy' : name === 'Add' ? 'Copy' : 'COPY';
  return { title: 'write COPY', edits: [{ ...positions.inFile(instruction.range, nameSpan), text }] };
}
