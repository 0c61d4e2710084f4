import { posix } from 'node:path';
import { expandText } from '../../expand.ts';
import { joinWorkdir } from '../../stage-graph/paths.ts';
import type { RunScript } from '../shell/run-script.ts';
import type { ShellCommand, ShellWord } from '../shell/script.ts';
import type { SubjectBase, SubjectCommand } from '../subject.ts';

/** A path as a shell in `folder` means it; undefined where only a run can tell. */
export function absolute(folder: string | undefined, { text, expands }: ShellWord): string | undefined {
  if (expands || text === '' || text.startsWith('~')) return undefined;
  if (text.startsWith('/')) return posix.normalize(text);
  return folder === undefined ? undefined : posix.join(folder, text);
}

/** The working folder in which a stage's instructions begin, if that is known. */
export function folderIn(base: SubjectBase | undefined): string | undefined {
  if (base?.kind === 'scratch' || base?.kind === 'tree') return '/';
  return base?.kind === 'image' && base.config !== undefined ? (base.config.config.WorkingDir ?? '/') : undefined;
}

/** The working folder behind an instruction; undefined where a variable or the base decides. */
export function folderAfter(folder: string | undefined, { command }: SubjectCommand): string | undefined {
  if (command.kind !== 'workdir') return folder;
  const path = command.value.includes('$') ? undefined : expandText(command.value, new Map());
  if (path === undefined || (folder === undefined && !path.startsWith('/'))) return undefined;
  return joinWorkdir(folder ?? '/', path);
}

/** A script's commands with the folder that each is run in. */
export function inFolders(
  { commands }: RunScript,
  folder: string | undefined,
): { readonly command: ShellCommand; readonly folder: string | undefined }[] {
  let current = folder;
  return commands.map((command) => {
    const at = current;
    if (/^(?:cd|pushd|popd)$/.test(command.name)) {
      const [, target] = command.words;
      current = command.depth > 0 || target === undefined ? undefined : absolute(current, target);
    }
    return { command, folder: at };
  });
}

/** The files that curl or wget writes, under names that they are given or take from a URL. */
export function downloads({ name, words, redirects }: ShellCommand, folder: string | undefined): string[] {
  if (name !== 'curl' && name !== 'wget') return [];
  const written = redirects.filter(({ operator }) => operator === '>').map(({ target }) => target);
  const outputs = name === 'curl' ? /^(?:-[a-zA-Z]*o|--output)$/ : /^(?:-[a-zA-Z]*O|--output-document)$/;
  const named = words.flatMap(({ text }, index) => (outputs.test(text) ? [words[index + 1]] : []));
  const byUrl =
    name === 'wget'
      ? named.length === 0
      : words.some(({ text }) => /^-[a-zA-Z]*O[a-zA-Z]*$|^--remote-name$/.test(text));
  if (byUrl) for (const word of words) if (/^https?:\/\//.test(word.text)) named.push(lastPart(word));
  return [...named, ...written].flatMap((word) => (word === undefined ? [] : (absolute(folder, word) ?? [])));
}

/** The name under which a download is saved. */
function lastPart(word: ShellWord): ShellWord {
  const text = word.text.replace(/[?#].*$/, '');
  const name = text.slice(text.lastIndexOf('/') + 1);
  return { ...word, text: name, expands: /[$`]/.test(name) };
}
